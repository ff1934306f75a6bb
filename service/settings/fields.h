#ifndef SLUICE_SERVICE_SETTINGS_FIELDS_H_
#define SLUICE_SERVICE_SETTINGS_FIELDS_H_

// Reading JSON of which nothing is known: files of settings and of plans.
//
// Private to who reads such. One thread; borrows the JSON. Errors are
// invalid_argument, and say where.

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/service/json/json.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/settings/settings.h"

namespace sluice::service {

absl::Status WrongSettings(absl::string_view where, absl::string_view what);

// One object of the file: each of its names is asked for once, and Finish finds
// those that nobody asked for.
class JsonFields {
 public:
  static absl::StatusOr<JsonFields> Of(const Json& json, std::string where) {
    if (!json.is_object()) return WrongSettings(where, "is no object");
    return JsonFields(&json, std::move(where));
  }

  // Null where it is not there.
  const Json& Get(const std::string& name) {
    static const Json& none = *new Json();
    asked_.insert(name);
    const auto found = json_->find(name);
    return found == json_->end() ? none : *found;
  }

  absl::StatusOr<std::string> Text(const std::string& name) {
    const Json& value = Get(name);
    if (value.is_null()) return std::string();
    if (value.is_string()) return value.get<std::string>();
    return WrongSettings(Path(name), "is no text");
  }

  absl::StatusOr<std::string> Required(const std::string& name) {
    SLUICE_ASSIGN_OR_RETURN(std::string text, Text(name));
    if (text.empty()) return WrongSettings(Path(name), "is missing");
    return text;
  }

  absl::StatusOr<bool> Switch(const std::string& name) {
    const Json& value = Get(name);
    if (value.is_null()) return false;
    if (value.is_boolean()) return value.get<bool>();
    return WrongSettings(Path(name), "is neither true nor false");
  }

  absl::StatusOr<uint64_t> Count(const std::string& name) {
    const Json& value = Get(name);
    if (value.is_null()) return 0;
    if (value.is_number_unsigned()) return value.get<uint64_t>();
    return WrongSettings(Path(name), "is no count");
  }

  // Milliseconds since the epoch; 0: not there.
  absl::StatusOr<int64_t> Time(const std::string& name) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text, Text(name));
    if (text.empty()) return 0;
    absl::Time time;
    std::string ignored;
    if (absl::ParseTime(absl::RFC3339_full, text, &time, &ignored) &&
        time > absl::UnixEpoch() && time < absl::InfiniteFuture()) {
      return absl::ToUnixMillis(time);
    }
    return WrongSettings(Path(name), "is no time");
  }

  // Of an array or of none.
  absl::StatusOr<std::vector<std::string>> Texts(const std::string& name) {
    const Json& value = Get(name);
    std::vector<std::string> texts;
    if (value.is_null()) return texts;
    if (!value.is_array()) return WrongSettings(Path(name), "is no list");
    for (const Json& item : value) {
      if (!item.is_string())
        return WrongSettings(Path(name), "is no list of texts");
      texts.push_back(item.get<std::string>());
    }
    return texts;
  }

  std::string Path(const std::string& name) const {
    return where_.empty() ? name : absl::StrCat(where_, ".", name);
  }

  absl::Status Finish() const {
    for (const auto& [name, value] : json_->items()) {
      if (asked_.count(name) == 0) {
        return WrongSettings(Path(name), "is unknown to this Sluice");
      }
    }
    return absl::OkStatus();
  }

 private:
  JsonFields(const Json* json, std::string where)
      : json_(json), where_(std::move(where)) {}

  const Json* json_;
  std::string where_;
  std::set<std::string> asked_;
};

// The field's value as `fields` has it; one that is not said stays as it is.
absl::Status SetPlanFieldFrom(JsonFields& fields, const PlanField& field,
                              PlanSpec& spec);

// As SetPlanField takes it; empty where nothing is said.
absl::StatusOr<std::string> PlanFieldText(JsonFields& fields,
                                          const PlanField& field);

// "repos", "plans" and "pins" of the file.
absl::StatusOr<Settings> ReadSettingsLists(JsonFields& file);

// Any text that is JSON, of kMaxSettingsBytes at most.
absl::StatusOr<Json> ParseSettingsJson(absl::string_view text);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SETTINGS_FIELDS_H_
