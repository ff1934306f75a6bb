#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_JSON_FIELDS_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_JSON_FIELDS_H_

// Reads a JSON object field by field, and remembers the first that was wrong.
//
//   JsonFields fields(object, "table 3", status);
//   fields.Name("schema", table.schema);
//   fields.Each("columns", [](const nlohmann::json& column, ...) {});
//   return status;
//
// After a wrong field the rest is passed over: status is looked at once, at the
// end. One thread.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace sluice::postgres {

// `bytes` as an object of no more than `max_depth` levels.
absl::StatusOr<nlohmann::json> ParseJsonDocument(absl::string_view bytes,
                                                 int max_depth);
// `document` in UTF-8; an error where some text in it is not.
absl::StatusOr<std::string> DumpJsonDocument(
    const nlohmann::ordered_json& document);

class JsonFields {
 public:
  // Borrows `value` and `status`. `where` is for messages.
  JsonFields(const nlohmann::json& value, absl::string_view where,
             absl::Status& status);

  // 1 to 1,024 bytes without a NUL.
  void Name(const char* key, std::string& out);
  void NameOrEmpty(const char* key, std::string& out);
  // Any text without a NUL.
  void Text(const char* key, std::string& out);
  void Unsigned(const char* key, uint64_t& out, uint64_t max);
  void Signed(const char* key, int64_t& out);
  void Bool(const char* key, bool& out);
  // 32 lower-case hex digits.
  void Digest(const char* key, std::string& out);
  void Names(const char* key, std::vector<std::string>& out);
  // Each element of an array, with a `where` of its own and this status.
  void Each(const char* key,
            absl::FunctionRef<void(const nlohmann::json&, absl::string_view,
                                   absl::Status&)>
                visit);
  // True after an error, too.
  bool IsNull(const char* key);
  // The object in `key`; an empty one after an error.
  const nlohmann::json& Object(const char* key);

  void Wrong(const char* key);

 private:
  // Null after an error, or where there is no such field: that is one.
  const nlohmann::json* Find(const char* key);
  bool TextOf(const char* key, size_t min, size_t max, std::string& out);

  const nlohmann::json& value_;
  const std::string where_;
  absl::Status& status_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_JSON_FIELDS_H_
