#include "sluice/service/admin/plan_admin.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/plan/plan_run.h"
#include "sluice/service/store_uri.h"

namespace sluice::service {

PlanAdmin::PlanAdmin(Catalog* catalog, PluginHost* host, Clock* clock)
    : catalog_(catalog), host_(host), clock_(clock) {}

absl::Status PlanAdmin::Apply(const Context& context, const PlanWords& words,
                              PlanSpec& spec) {
  if (!words.source.empty()) spec.set_source(words.source);
  if (!words.repos.empty()) spec.clear_repos();
  for (const std::string& name : words.repos) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                            catalog_->GetRepo(context, name));
    const auto& known = spec.repos();
    if (std::find(known.begin(), known.end(), repo.id()) != known.end()) {
      return InvalidArgument(absl::StrCat("repos: ", name, " is named twice"));
    }
    spec.add_repos(repo.id());
  }
  for (const auto& [name, value] : words.fields) {
    SLUICE_RETURN_IF_ERROR(SetPlanField(name, value, spec));
  }
  if (words.labels.has_value()) {
    spec.mutable_labels()->clear();
    for (const auto& [name, value] : *words.labels) {
      (*spec.mutable_labels())[name] = value;
    }
  }
  return absl::OkStatus();
}

absl::Status PlanAdmin::CheckSource(const Context& context, PlanSpec& spec,
                                    const PlanChecks& checks) {
  if (spec.source().empty()) return absl::OkStatus();  // told by RulesOf
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          host_->ReadSourceUri(spec.source()));
  // Absolute: it is opened from another folder.
  spec.set_source(facts.uri);
  for (const std::string& id : spec.repos()) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                            catalog_->GetRepo(context, id));
    SLUICE_ASSIGN_OR_RETURN(const UriFacts place,
                            host_->ReadPlaceUri(repo.config()));
    SLUICE_RETURN_IF_ERROR(CheckApart(facts, place.paths));
  }
  if (!checks.open_source) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<Backupable> source,
                          host_->CreateSource(spec.source()));
  const absl::Status opened = source->Describe(context).status();
  return Annotate(opened, "the source cannot be opened");
}

absl::StatusOr<Plan> PlanAdmin::Add(const Context& context,
                                    const std::string& name,
                                    const PlanWords& words,
                                    const PlanChecks& checks) {
  const absl::Time now = clock_->Now();
  Plan plan;
  plan.set_id(NewUlid(*clock_));
  plan.set_name(name);
  plan.set_revision(1);
  plan.set_created_at_ms(absl::ToUnixMillis(now));
  plan.set_updated_at_ms(absl::ToUnixMillis(now));
  SLUICE_RETURN_IF_ERROR(CheckName("plan", name));
  plan.set_paused(words.paused.value_or(false));
  SLUICE_RETURN_IF_ERROR(Apply(context, words, *plan.mutable_spec()));
  SLUICE_ASSIGN_OR_RETURN(const PlanRules rules, RulesOf(plan));
  SLUICE_RETURN_IF_ERROR(CheckSource(context, *plan.mutable_spec(), checks));
  if (checks.only_check) return plan;
  SLUICE_RETURN_IF_ERROR(
      catalog_->plans().AddPlan(context, plan, TargetsOf(plan, rules, now)));
  return plan;
}

absl::StatusOr<Plan> PlanAdmin::Edit(const Context& context,
                                     absl::string_view name_or_id,
                                     const PlanWords& words,
                                     const PlanChecks& checks,
                                     const std::string& rename) {
  SLUICE_ASSIGN_OR_RETURN(const Plan before,
                          catalog_->plans().GetPlan(context, name_or_id));
  if (checks.expected_revision != 0 &&
      checks.expected_revision != before.revision()) {
    return WithHint(
        MakeError(absl::StatusCode::kAborted, kPlanChanged,
                  absl::StrCat("plan ", before.name(), " is at revision ",
                               before.revision(), ", not at ",
                               checks.expected_revision)),
        "read it again");
  }
  const absl::Time now = clock_->Now();
  Plan plan = before;
  if (!rename.empty()) plan.set_name(rename);
  plan.set_paused(words.paused.value_or(before.paused()));
  plan.set_revision(before.revision() + 1);
  plan.set_updated_at_ms(absl::ToUnixMillis(now));
  SLUICE_RETURN_IF_ERROR(Apply(context, words, *plan.mutable_spec()));
  SLUICE_ASSIGN_OR_RETURN(const PlanRules rules, RulesOf(plan));
  if (!words.source.empty() || !words.repos.empty()) {
    SLUICE_RETURN_IF_ERROR(CheckSource(context, *plan.mutable_spec(), checks));
  }
  if (checks.only_check) return plan;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanTarget> targets,
                          catalog_->plans().ListTargets(context, before.id()));
  SLUICE_RETURN_IF_ERROR(catalog_->plans().UpdatePlan(
      context, plan, TargetsAfterEdit(before, targets, plan, rules, now)));
  return plan;
}

absl::StatusOr<Plan> PlanAdmin::SetPaused(const Context& context,
                                          absl::string_view name_or_id,
                                          bool paused) {
  SLUICE_ASSIGN_OR_RETURN(const Plan before,
                          catalog_->plans().GetPlan(context, name_or_id));
  if (before.paused() == paused) return before;
  const absl::Time now = clock_->Now();
  Plan plan = before;
  plan.set_paused(paused);
  plan.set_revision(before.revision() + 1);
  plan.set_updated_at_ms(absl::ToUnixMillis(now));
  SLUICE_ASSIGN_OR_RETURN(const PlanRules rules, RulesOf(plan));
  SLUICE_RETURN_IF_ERROR(
      catalog_->plans().UpdatePlan(context, plan, TargetsOf(plan, rules, now)));
  return plan;
}

absl::StatusOr<std::vector<QueuedRun>> PlanAdmin::RunNow(
    const Context& context, absl::string_view name_or_id,
    absl::string_view repo, const Asker& asker) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          catalog_->plans().GetPlan(context, name_or_id));
  std::string only;
  if (!repo.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo row,
                            catalog_->GetRepo(context, repo));
    only = row.id();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanTarget> targets,
                          catalog_->plans().ListTargets(context, plan.id()));
  std::vector<QueuedRun> asked;
  for (const PlanTarget& target : targets) {
    if (!only.empty() && target.repo_id != only) continue;
    const absl::Time now = clock_->Now();
    QueuedRun run = BackupRunOf(plan, target.repo_id, NewUlid(*clock_), now);
    run.job.set_store_id(target.store_id);
    run.request.set_requester(asker.requester);
    run.request.set_not_before_ms(absl::ToUnixMillis(now));
    if (asker.patience < absl::InfiniteDuration()) {
      run.request.set_expires_at_ms(absl::ToUnixMillis(now + asker.patience));
    }
    if (!asker.idempotency_key.empty()) {
      run.request.set_idempotency_key(
          absl::StrCat(asker.idempotency_key, " ", target.repo_id));
    }
    run.request.set_request_sha256(asker.request_sha256);
    SLUICE_ASSIGN_OR_RETURN(QueuedRun queued,
                            EnqueueOnce(context, catalog_->queue(), run));
    asked.push_back(std::move(queued));
  }
  if (!asked.empty()) return asked;
  return InvalidArgument(
      absl::StrCat("plan ", plan.name(), " does not write to repo ", repo));
}

absl::StatusOr<std::vector<PlannedTime>> PlanAdmin::NextTimes(
    const Context& context, absl::string_view name_or_id, int count) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          catalog_->plans().GetPlan(context, name_or_id));
  SLUICE_ASSIGN_OR_RETURN(const PlanRules rules, RulesOf(plan));
  if (plan.paused() || !rules.schedule.has_value()) {
    return std::vector<PlannedTime>();
  }
  return PreviewTimes(*rules.schedule, clock_->Now(), count);
}

}  // namespace sluice::service
