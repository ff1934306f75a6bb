#ifndef SLUICE_SERVICE_HTTP_MESSAGE_PROBLEM_H_
#define SLUICE_SERVICE_HTTP_MESSAGE_PROBLEM_H_

// Errors as RFC 9457 problems: application/problem+json with type, title,
// status, detail, code and hint, and members of its own.
//
// Example:
//
//   Problem problem = ProblemFor(status);  // code and hint of base/error.h
//   problem.members["running_job_id"] = "01J…";
//   Response response = ProblemResponse(problem);
//
// Pure. `code` is the stable word; clients that do not know it go by the HTTP
// status. No detail or hint may hold a secret.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "sluice/service/http/message/response.h"

namespace sluice::http {

// Words of HTTP's own errors, beside those of base/error.h. Never renamed.
inline constexpr absl::string_view kBadRequest = "bad_request";
inline constexpr absl::string_view kUnauthenticated = "unauthenticated";
inline constexpr absl::string_view kForbidden = "forbidden";
inline constexpr absl::string_view kOriginNotAllowed = "origin_not_allowed";
inline constexpr absl::string_view kHostNotAllowed = "host_not_allowed";
inline constexpr absl::string_view kNotFound = "not_found";
inline constexpr absl::string_view kMethodNotAllowed = "method_not_allowed";
inline constexpr absl::string_view kBodyTooLarge = "body_too_large";
inline constexpr absl::string_view kHeadersTooLarge = "headers_too_large";
inline constexpr absl::string_view kUnsupportedMediaType =
    "unsupported_media_type";
inline constexpr absl::string_view kOverloaded = "overloaded";
inline constexpr absl::string_view kShuttingDown = "shutting_down";

struct Problem {
  int status = 500;
  std::string code;
  std::string detail;
  std::string hint;  // none if empty
  // Beside the standard ones; a standard name here is overwritten.
  nlohmann::ordered_json members = nlohmann::ordered_json::object();
};

// The status that goes with an error: that of its word where it has one, else
// that of its canonical code. 401 and 403 are said of our own tokens alone:
// what a destination or a source refuses is 422.
int HttpStatusOf(const absl::Status& status);

// `status` must not be OK.
Problem ProblemFor(const absl::Status& status);

// 401 carries WWW-Authenticate, 503 Retry-After.
Response ProblemResponse(const Problem& problem);
Response ProblemResponse(const absl::Status& status);
Response ProblemResponse(int status, absl::string_view code,
                         absl::string_view detail, absl::string_view hint = "");

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_MESSAGE_PROBLEM_H_
