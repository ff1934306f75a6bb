#include "sluice/destinations/archive/format/json.h"

#include <utility>

namespace sluice {

absl::optional<nlohmann::json> ParseJsonObject(absl::string_view bytes) {
  nlohmann::json value =
      nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr,
                            /*allow_exceptions=*/false);
  if (!value.is_object()) return absl::nullopt;
  return value;
}

absl::optional<std::string> JsonText(const nlohmann::json& object,
                                     const char* key) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_string()) return absl::nullopt;
  return field->get<std::string>();
}

absl::optional<uint64_t> JsonNumber(const nlohmann::json& object,
                                    const char* key) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_number_unsigned())
    return absl::nullopt;
  return field->get<uint64_t>();
}

absl::optional<bool> JsonBool(const nlohmann::json& object, const char* key) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_boolean()) return absl::nullopt;
  return field->get<bool>();
}

std::string DumpJson(const nlohmann::ordered_json& object) {
  return object.dump(1, ' ', false,
                     nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace sluice
