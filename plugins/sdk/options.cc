#include "sluice/plugins/sdk/options.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice::sdk {
namespace {

absl::Status Malformed(absl::string_view key, absl::string_view expected) {
  // The value stays out: it may be a secret put under the wrong name.
  return InvalidArgument(
      absl::StrCat("option \"", key, "\" must be ", expected));
}

std::string Key(absl::string_view key) { return std::string(key); }

}  // namespace

bool Options::Has(absl::string_view key) const {
  return values_.find(Key(key)) != values_.end();
}

std::string Options::Get(absl::string_view key,
                         absl::string_view fallback) const {
  const auto found = values_.find(Key(key));
  return found == values_.end() ? std::string(fallback) : found->second;
}

absl::StatusOr<uint64_t> Options::GetInteger(absl::string_view key,
                                             uint64_t fallback) const {
  const auto found = values_.find(Key(key));
  if (found == values_.end()) return fallback;
  uint64_t value = 0;
  if (!absl::SimpleAtoi(found->second, &value))
    return Malformed(key, "a whole number, not negative");
  return value;
}

absl::StatusOr<bool> Options::GetBoolean(absl::string_view key,
                                         bool fallback) const {
  const auto found = values_.find(Key(key));
  if (found == values_.end()) return fallback;
  const std::string value = absl::AsciiStrToLower(found->second);
  if (value == "1" || value == "true" || value == "yes" || value == "on")
    return true;
  if (value == "0" || value == "false" || value == "no" || value == "off")
    return false;
  return Malformed(key, "true or false");
}

absl::StatusOr<absl::Duration> Options::GetDuration(
    absl::string_view key, absl::Duration fallback) const {
  const auto found = values_.find(Key(key));
  if (found == values_.end()) return fallback;
  absl::Duration value;
  if (!absl::ParseDuration(found->second, &value) || value < absl::Duration())
    return Malformed(key, "a duration such as 30s or 1h30m");
  return value;
}

void Options::Set(absl::string_view key, absl::string_view value) {
  values_[Key(key)] = std::string(value);
}

Options Options::FromTable(const sluice_option* options, uint64_t count) {
  Options result;
  for (uint64_t i = 0; i < count; ++i)
    result.Set(ToView(options[i].key), ToView(options[i].value));
  return result;
}

}  // namespace sluice::sdk
