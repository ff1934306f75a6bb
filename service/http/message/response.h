#ifndef SLUICE_SERVICE_HTTP_MESSAGE_RESPONSE_H_
#define SLUICE_SERVICE_HTTP_MESSAGE_RESPONSE_H_

// What a handler answers: a status, headers and either a body or a stream.
//
// Example:
//
//   Response response = JsonResponse(202, {{"job", "01J…"}});
//   response.headers.Set("Location", "/api/v1/jobs/01J…");
//
// The server adds Date and Content-Length, and, unless the handler set them,
// Cache-Control: no-store and the security headers (response.cc lists them).
// A value: one thread at a time.

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"
#include "sluice/service/http/message/request.h"
#include "sluice/service/http/message/response_stream.h"

namespace sluice::http {

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  // In place of a body; given to one response only.
  std::shared_ptr<ResponseStream> stream;
  // The route's pattern, for the access log; a Router sets it.
  std::string route;
};

Response TextResponse(int status, absl::string_view content_type,
                      absl::string_view body);
// What of it is not UTF-8 is replaced.
Response JsonResponse(int status, const nlohmann::ordered_json& body);
// Of a body that is JSON's text already.
Response JsonTextResponse(int status, std::string body);
// 200 and text/event-stream, fed by `stream`; proxies are told not to hold it
// back.
Response EventStreamResponse(std::shared_ptr<ResponseStream> stream);

// Adds to `headers` those of the defaults that are not there.
void AddDefaultHeaders(Headers& headers);

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_MESSAGE_RESPONSE_H_
