#include "sluice/service/http/message/response.h"

#include <utility>

#include "nlohmann/json.hpp"

namespace sluice::http {
namespace {

constexpr struct {
  absl::string_view name;
  absl::string_view value;
} kDefaults[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Frame-Options", "DENY"},
};

}  // namespace

Response TextResponse(int status, absl::string_view content_type,
                      absl::string_view body) {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", content_type);
  response.body = std::string(body);
  return response;
}

Response JsonResponse(int status, const nlohmann::ordered_json& body) {
  return JsonTextResponse(
      status, body.dump(-1, ' ', false,
                        nlohmann::ordered_json::error_handler_t::replace));
}

Response JsonTextResponse(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", "application/json");
  response.body = std::move(body);
  response.body += '\n';
  return response;
}

Response EventStreamResponse(std::shared_ptr<ResponseStream> stream) {
  Response response;
  response.headers.Add("Content-Type", "text/event-stream");
  response.headers.Add("Cache-Control", "no-store");
  response.headers.Add("X-Accel-Buffering", "no");
  response.stream = std::move(stream);
  return response;
}

void AddDefaultHeaders(Headers& headers) {
  for (const auto& field : kDefaults) {
    if (!headers.Find(field.name).has_value()) {
      headers.Add(field.name, field.value);
    }
  }
}

}  // namespace sluice::http
