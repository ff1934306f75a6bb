#include "sluice/service/http/message/request.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace sluice::http {

void Headers::Add(absl::string_view name, absl::string_view value) {
  fields_.emplace_back(std::string(name), std::string(value));
}

void Headers::Set(absl::string_view name, absl::string_view value) {
  fields_.erase(std::remove_if(fields_.begin(), fields_.end(),
                               [&](const Field& field) {
                                 return absl::EqualsIgnoreCase(field.first,
                                                               name);
                               }),
                fields_.end());
  Add(name, value);
}

absl::optional<absl::string_view> Headers::Find(absl::string_view name) const {
  for (const Field& field : fields_) {
    if (absl::EqualsIgnoreCase(field.first, name)) return field.second;
  }
  return absl::nullopt;
}

int Headers::Count(absl::string_view name) const {
  return static_cast<int>(
      std::count_if(fields_.begin(), fields_.end(), [&](const Field& field) {
        return absl::EqualsIgnoreCase(field.first, name);
      }));
}

}  // namespace sluice::http
