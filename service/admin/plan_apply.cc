#include "sluice/service/admin/plan_apply.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/json/json.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/settings/fields.h"

namespace sluice::service {
namespace {

absl::Status ReadLabels(JsonFields& fields, PlanWords& words) {
  words.labels.emplace();
  const Json& labels = fields.Get("labels");
  if (labels.is_null()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(JsonFields inner,
                          JsonFields::Of(labels, fields.Path("labels")));
  for (const auto& [name, value] : labels.items()) {
    SLUICE_ASSIGN_OR_RETURN((*words.labels)[name], inner.Required(name));
  }
  return absl::OkStatus();
}

absl::StatusOr<PlanStatement> StatementOf(JsonFields fields) {
  PlanStatement statement;
  PlanWords& words = statement.words;
  SLUICE_ASSIGN_OR_RETURN(statement.name, fields.Required("name"));
  SLUICE_ASSIGN_OR_RETURN(words.source, fields.Required("source"));
  SLUICE_ASSIGN_OR_RETURN(words.repos, fields.Texts("repos"));
  if (words.repos.empty()) {
    return WrongSettings(fields.Path("repos"), "is missing");
  }
  for (const PlanField& field : PlanFields()) {
    SLUICE_ASSIGN_OR_RETURN(std::string value, PlanFieldText(fields, field));
    words.fields.emplace_back(field.name, std::move(value));
  }
  // Two fields may say the same: in that order the one that is said stays.
  std::stable_sort(words.fields.begin(), words.fields.end(),
                   [](const auto& a, const auto& b) {
                     return a.second.empty() && !b.second.empty();
                   });
  SLUICE_RETURN_IF_ERROR(ReadLabels(fields, words));
  if (!fields.Get("paused").is_null()) {
    SLUICE_ASSIGN_OR_RETURN(words.paused, fields.Switch("paused"));
  }
  for (const char* only_told :
       {"id", "revision", "created_at", "updated_at", "shrink_accepted_at"}) {
    fields.Get(only_told);
  }
  SLUICE_RETURN_IF_ERROR(fields.Finish());
  return statement;
}

// The list of plans that the file is or holds.
absl::StatusOr<Json> PlansIn(const Json& file) {
  if (file.is_array()) return file;
  SLUICE_ASSIGN_OR_RETURN(JsonFields fields, JsonFields::Of(file, "the file"));
  const Json& plans = fields.Get("plans");
  for (const char* of_export : {"format", "version", "repos", "pins"}) {
    fields.Get(of_export);
  }
  SLUICE_RETURN_IF_ERROR(fields.Finish());
  if (plans.is_array()) return plans;
  return WrongSettings("plans", "is no list");
}

std::vector<std::string> Differences(const Plan& before, const Plan& after) {
  std::vector<std::string> changed;
  const Json was = PlanJson(before);
  const Json is = PlanJson(after);
  for (const auto& [name, value] : is.items()) {
    if (name == "revision" || name == "updated_at") continue;
    if (was.at(name) != value) changed.push_back(name);
  }
  return changed;
}

}  // namespace

absl::StatusOr<std::vector<PlanStatement>> ParsePlans(absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const Json file, ParseSettingsJson(text));
  SLUICE_ASSIGN_OR_RETURN(const Json plans, PlansIn(file));
  std::vector<PlanStatement> statements;
  std::set<std::string> names;
  for (size_t i = 0; i < plans.size(); ++i) {
    const std::string where = absl::StrCat("plans[", i, "]");
    SLUICE_ASSIGN_OR_RETURN(JsonFields fields, JsonFields::Of(plans[i], where));
    SLUICE_ASSIGN_OR_RETURN(PlanStatement statement,
                            StatementOf(std::move(fields)));
    if (!names.insert(statement.name).second) {
      return WrongSettings(absl::StrCat(where, ".name"),
                           absl::StrCat(statement.name, " is there twice"));
    }
    statements.push_back(std::move(statement));
  }
  return statements;
}

absl::string_view ApplyWord(AppliedPlan::Action action) {
  switch (action) {
    case AppliedPlan::Action::kAdded:
      return "added";
    case AppliedPlan::Action::kChanged:
      return "changed";
    case AppliedPlan::Action::kSame:
      break;
  }
  return "same";
}

absl::StatusOr<AppliedPlan> ApplyPlan(const Context& context, Catalog& catalog,
                                      PluginHost& host, Clock& clock,
                                      const PlanStatement& statement,
                                      const ApplyOptions& options) {
  PlanAdmin admin(&catalog, &host, &clock);
  PlanChecks checks = options.checks;
  AppliedPlan applied;
  const absl::StatusOr<Plan> before =
      catalog.plans().GetPlan(context, statement.name);
  // An id, or a beginning of one, is no name.
  const bool known = before.ok() && before->name() == statement.name;
  if (!known) {
    if (!before.ok() && ErrorCodeOf(before.status()) != kPlanNotFound &&
        ErrorCodeOf(before.status()) != kAmbiguousId) {
      return before.status();
    }
    applied.action = AppliedPlan::Action::kAdded;
    checks.only_check = options.dry_run;
    SLUICE_ASSIGN_OR_RETURN(applied.plan, admin.Add(context, statement.name,
                                                    statement.words, checks));
    return applied;
  }
  checks.expected_revision = before->revision();
  PlanChecks look = checks;
  look.only_check = true;
  look.open_source = false;
  SLUICE_ASSIGN_OR_RETURN(
      applied.plan, admin.Edit(context, before->id(), statement.words, look));
  applied.changed = Differences(*before, applied.plan);
  if (applied.changed.empty()) {
    applied.plan = *before;
    return applied;
  }
  applied.action = AppliedPlan::Action::kChanged;
  checks.only_check = options.dry_run;
  SLUICE_ASSIGN_OR_RETURN(
      applied.plan, admin.Edit(context, before->id(), statement.words, checks));
  return applied;
}

}  // namespace sluice::service
