#include "sluice/service/settings/fields.h"

#include "sluice/base/error.h"

namespace sluice::service {

absl::Status WrongSettings(absl::string_view where, absl::string_view what) {
  return InvalidArgument(absl::StrCat("settings: ", where, " ", what),
                         "what `sluice export` of this version prints");
}

absl::StatusOr<std::string> PlanFieldText(JsonFields& fields,
                                          const PlanField& field) {
  const std::string name(field.name);
  switch (field.kind) {
    case PlanFieldKind::kFlag: {
      SLUICE_ASSIGN_OR_RETURN(const bool on, fields.Switch(name));
      return std::string(on ? "true" : "");
    }
    case PlanFieldKind::kCount: {
      SLUICE_ASSIGN_OR_RETURN(const uint64_t count, fields.Count(name));
      return count == 0 ? std::string() : absl::StrCat(count);
    }
    default:
      return fields.Text(name);
  }
}

absl::Status SetPlanFieldFrom(JsonFields& fields, const PlanField& field,
                              PlanSpec& spec) {
  SLUICE_ASSIGN_OR_RETURN(const std::string value,
                          PlanFieldText(fields, field));
  // What is not said must not take back what another field has said.
  if (value.empty()) return absl::OkStatus();
  const absl::Status set = SetPlanField(field.name, value, spec);
  return WithHint(Annotate(set, fields.Path("plan")), HintOf(set));
}

absl::StatusOr<Json> ParseSettingsJson(absl::string_view text) {
  if (text.size() > kMaxSettingsBytes) {
    return WrongSettings("the file", "is too large");
  }
  Json json = Json::parse(text.begin(), text.end(), /*cb=*/nullptr,
                          /*allow_exceptions=*/false);
  if (json.is_discarded()) return WrongSettings("the file", "is no JSON");
  return json;
}

}  // namespace sluice::service
