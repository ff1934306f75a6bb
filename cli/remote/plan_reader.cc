// Plans, and what retention decided of their archives.

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/model_reader.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::cli {
namespace {

absl::StatusOr<PlanTarget> ReadTarget(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "target"));
  PlanTarget target;
  target.next_due = target.run_at = absl::InfiniteFuture();
  SLUICE_ASSIGN_OR_RETURN(target.plan_id, ReadText(json, "plan_id"));
  SLUICE_ASSIGN_OR_RETURN(target.repo_id, ReadText(json, "repo_id"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "next_due", target.next_due));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "run_at", target.run_at));
  absl::Time fired = absl::InfinitePast();
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "last_fired", fired));
  if (fired != absl::InfinitePast()) target.last_fired = fired;
  SLUICE_ASSIGN_OR_RETURN(target.store_id, ReadText(json, "store_id"));
  return target;
}

// As SetPlanField takes it.
absl::StatusOr<std::string> PlanFieldText(const AnswerJson& value,
                                          const std::string& name) {
  if (value.is_boolean()) return std::string(value.get<bool>() ? "true" : "");
  if (value.is_number_unsigned()) return absl::StrCat(value.get<uint64_t>());
  return TextOf(value, name);
}

absl::Status ReadSpec(const AnswerJson& json, PlanSpec& spec) {
  SLUICE_ASSIGN_OR_RETURN(const std::string source, ReadText(json, "source"));
  spec.set_source(source);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> repos,
                          ReadList(json, "repos", &ReadTextItem));
  for (const std::string& repo : repos) spec.add_repos(repo);
  for (const service::PlanField& field : service::PlanFields()) {
    const std::string name(field.name);
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) continue;
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            PlanFieldText(*found, name));
    const absl::Status set = service::SetPlanField(name, text, spec);
    if (!set.ok()) return AnswerError(set.message());
  }
  const auto labels = json.find("labels");
  if (labels == json.end() || labels->is_null()) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(CheckObject(*labels, "labels"));
  for (const auto& label : labels->items()) {
    SLUICE_ASSIGN_OR_RETURN((*spec.mutable_labels())[label.key()],
                            TextOf(label.value(), "labels"));
  }
  return absl::OkStatus();
}

absl::StatusOr<service::RetentionReason> ReadReason(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "reason"));
  service::RetentionReason reason;
  SLUICE_ASSIGN_OR_RETURN(const std::string word, ReadText(json, "reason"));
  SLUICE_ASSIGN_OR_RETURN(reason.text, ReadText(json, "text"));
  for (int kind = 0;; ++kind) {
    reason.kind = static_cast<service::RetentionReasonKind>(kind);
    const absl::string_view known = RetentionReasonWord(reason.kind);
    if (known.empty()) return WrongField("reason", "reason that is known");
    if (known == word) return reason;
  }
}

absl::StatusOr<service::RetentionVerdict> ReadVerdict(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "verdict"));
  service::RetentionVerdict verdict;
  SLUICE_ASSIGN_OR_RETURN(verdict.id, ReadText(json, "id"));
  SLUICE_RETURN_IF_ERROR(ReadFlag(json, "keep", verdict.keep));
  SLUICE_ASSIGN_OR_RETURN(verdict.reasons,
                          ReadList(json, "reasons", &ReadReason));
  return verdict;
}

absl::StatusOr<service::RetentionSuspension> ReadSuspension(
    const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "suspension"));
  service::RetentionSuspension suspension;
  SLUICE_ASSIGN_OR_RETURN(const std::string word, ReadText(json, "reason"));
  suspension.kind = word == "future"
                        ? service::RetentionSuspension::Kind::kFuture
                        : service::RetentionSuspension::Kind::kShrunk;
  SLUICE_ASSIGN_OR_RETURN(suspension.archive_id, ReadText(json, "archive_id"));
  SLUICE_ASSIGN_OR_RETURN(suspension.text, ReadText(json, "text"));
  return suspension;
}

}  // namespace

absl::StatusOr<PlanView> ReadPlan(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "plan"));
  PlanView view;
  Plan& plan = view.plan;
  SLUICE_ASSIGN_OR_RETURN(*plan.mutable_id(), ReadText(json, "id"));
  SLUICE_ASSIGN_OR_RETURN(*plan.mutable_name(), ReadText(json, "name"));
  if (plan.id().empty() || plan.name().empty()) {
    return AnswerError("a plan has no id or no name");
  }
  bool paused = false;
  SLUICE_RETURN_IF_ERROR(ReadFlag(json, "paused", paused));
  plan.set_paused(paused);
  SLUICE_ASSIGN_OR_RETURN(const uint64_t revision, ReadCount(json, "revision"));
  plan.set_revision(revision);
  absl::Time at = absl::UnixEpoch();
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "created_at", at));
  plan.set_created_at_ms(absl::ToUnixMillis(at));
  at = absl::UnixEpoch();
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "updated_at", at));
  plan.set_updated_at_ms(absl::ToUnixMillis(at));
  SLUICE_RETURN_IF_ERROR(ReadSpec(json, *plan.mutable_spec()));
  SLUICE_ASSIGN_OR_RETURN(view.repo_names,
                          ReadList(json, "repo_names", &ReadTextItem));
  SLUICE_ASSIGN_OR_RETURN(view.targets, ReadList(json, "targets", &ReadTarget));
  const auto last = json.find("last_job");
  if (last != json.end() && !last->is_null()) {
    SLUICE_ASSIGN_OR_RETURN(CatalogJob job, ReadJob(*last));
    view.last_job = std::move(job.job);
  }
  const auto rules = service::RulesOf(plan);
  if (rules.ok()) view.zone = rules->zone;
  return view;
}

absl::StatusOr<service::PrunedGroup> ReadPruned(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "store"));
  service::PrunedGroup group;
  SLUICE_ASSIGN_OR_RETURN(group.store_id, ReadText(json, "store_id"));
  service::RetentionDecision& decision = group.decision;
  SLUICE_ASSIGN_OR_RETURN(decision.verdicts,
                          ReadList(json, "verdicts", &ReadVerdict));
  SLUICE_ASSIGN_OR_RETURN(decision.removals,
                          ReadList(json, "removals", &ReadTextItem));
  SLUICE_ASSIGN_OR_RETURN(decision.suspended,
                          ReadList(json, "suspended", &ReadSuspension));
  service::RetentionSummary& summary = decision.summary;
  SLUICE_ASSIGN_OR_RETURN(summary.considered, ReadCount(json, "considered"));
  SLUICE_ASSIGN_OR_RETURN(summary.removed, ReadCount(json, "removed"));
  SLUICE_ASSIGN_OR_RETURN(summary.removed_bytes,
                          ReadCount(json, "removed_bytes"));
  SLUICE_ASSIGN_OR_RETURN(summary.held_by_pin, ReadCount(json, "held_by_pin"));
  SLUICE_ASSIGN_OR_RETURN(summary.held_by_floor,
                          ReadCount(json, "held_by_floor"));
  return group;
}

}  // namespace sluice::cli
