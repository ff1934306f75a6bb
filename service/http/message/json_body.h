#ifndef SLUICE_SERVICE_HTTP_MESSAGE_JSON_BODY_H_
#define SLUICE_SERVICE_HTTP_MESSAGE_JSON_BODY_H_

// JSON that came from outside, read strictly (RFC 8259, and I-JSON of RFC 7493
// in that a name stands once): what two readers could read in two ways, or
// would pass over, is refused, and the message names the field.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const nlohmann::json body,
//                           ParseJsonObject(R"({"plan": "nightly"})"));
//   JsonObjectReader fields(body);
//   std::string plan;
//   absl::optional<int64_t> keep;
//   fields.Required("plan", plan);
//   fields.Optional("keep", keep);
//   SLUICE_RETURN_IF_ERROR(fields.Finish());  // and refuses any other field
//
// Pure. Cost linear in the body's size. Errors: invalid_argument. No exception
// leaves.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace sluice::http {

inline constexpr size_t kMaxJsonDepth = 32;

// One value of no more than `max_depth` levels ("{}" is one), in UTF-8, without
// a byte order mark.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text,
                                         size_t max_depth = kMaxJsonDepth);
// As ParseJson, and an object.
absl::StatusOr<nlohmann::json> ParseJsonObject(
    absl::string_view text, size_t max_depth = kMaxJsonDepth);

// Takes the fields of an object by name. The first that is wrong is kept, and
// all later calls pass: Finish tells. One thread. Borrows the object.
class JsonObjectReader {
 public:
  // `where` is said before a field's name: "rules" makes "rules.keep".
  explicit JsonObjectReader(const nlohmann::json& object,
                            absl::string_view where = "");

  // Texts hold no NUL. Numbers are integers, written without a fraction.
  void Required(absl::string_view name, std::string& value);
  void Required(absl::string_view name, bool& value);
  void Required(absl::string_view name, int64_t& value);
  void Required(absl::string_view name, std::vector<std::string>& value);

  // Unset where the field is absent. null is a value of none of the types.
  void Optional(absl::string_view name, absl::optional<std::string>& value);
  void Optional(absl::string_view name, absl::optional<bool>& value);
  void Optional(absl::string_view name, absl::optional<int64_t>& value);
  void Optional(absl::string_view name,
                absl::optional<std::vector<std::string>>& value);

  // Takes a field that is null, as a PATCH that unsets it has; else false.
  bool TakeNull(absl::string_view name);
  // The field as it is, for a reader of its own; null pointer where absent.
  const nlohmann::json* Take(absl::string_view name);

  // A complaint of the caller's about a field.
  void Wrong(absl::string_view name, absl::string_view what);

  absl::Status Finish();

 private:
  template <typename T>
  void Read(absl::string_view name, bool required, absl::optional<T>& value);
  template <typename T>
  void ReadRequired(absl::string_view name, T& value);
  std::string Named(absl::string_view name) const;

  const nlohmann::json& object_;
  const std::string where_;
  std::vector<std::string> taken_;
  absl::Status status_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_MESSAGE_JSON_BODY_H_
