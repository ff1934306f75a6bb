#ifndef SLUICE_SERVICE_HTTP_MESSAGE_TARGET_H_
#define SLUICE_SERVICE_HTTP_MESSAGE_TARGET_H_

// A request's target, taken apart (RFC 3986, RFC 9112 section 3.2).
//
// Strict: what two readers could read in two ways is refused, in words that
// name the part. A slash that is escaped is data, never a separator; "." and
// ".." are not resolved but refused.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const RequestTarget target,
//                           ParseRequestTarget("/plans/a%20b?limit=5"));
//   target.path;                  // {"plans", "a b"}
//   target.query.Find("limit");   // "5"
//
// Pure; cost linear in the target's size. Errors: invalid_argument.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

namespace sluice::http {

inline constexpr size_t kMaxPathSegments = 32;
inline constexpr size_t kMaxQueryParameters = 64;

// Parameters, each name once, decoded.
class Query {
 public:
  using Parameter = std::pair<std::string, std::string>;

  Query() = default;
  explicit Query(std::vector<Parameter> parameters)
      : parameters_(std::move(parameters)) {}

  absl::optional<std::string> Find(absl::string_view name) const;
  // Refuses a parameter that is none of `known`, by its name.
  absl::Status RefuseOthers(absl::Span<const absl::string_view> known) const;
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
};

struct RequestTarget {
  // Of the absolute form, "http://HOST/path"; it replaces the header Host.
  absl::optional<std::string> authority;
  bool is_asterisk = false;  // "*", as in OPTIONS *
  std::vector<std::string> path;
  Query query;
};

absl::StatusOr<RequestTarget> ParseRequestTarget(absl::string_view target);

// What follows the '?': name=value joined by '&'. A '+' is a space, as in
// forms; a name without '=' has an empty value.
absl::StatusOr<Query> ParseQuery(absl::string_view query);

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_MESSAGE_TARGET_H_
