#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_JSON_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_JSON_H_

// Small JSON objects of bytes from outside, read without exceptions.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"

namespace sluice {

// The object in `bytes`; nullopt where they are anything else.
absl::optional<nlohmann::json> ParseJsonObject(absl::string_view bytes);

// The field's value; nullopt where it is missing or of another type.
absl::optional<std::string> JsonText(const nlohmann::json& object,
                                     const char* key);
absl::optional<uint64_t> JsonNumber(const nlohmann::json& object,
                                    const char* key);
absl::optional<bool> JsonBool(const nlohmann::json& object, const char* key);

// With an indent and a line end; bytes that are no UTF-8 are replaced.
std::string DumpJson(const nlohmann::ordered_json& object);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_JSON_H_
