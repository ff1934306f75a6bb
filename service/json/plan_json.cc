// Plans, due times, verdicts, tokens as JSON.

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "sluice/service/json/json.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::service {
namespace {

Json MomentJson(absl::Time time) {
  const std::string text = TimeText(time);
  return text.empty() ? Json(nullptr) : Json(text);
}

Json FieldJson(const PlanField& field, const PlanSpec& spec) {
  const std::string text = GetPlanField(field, spec);
  if (field.kind == PlanFieldKind::kFlag) return text == "true";
  if (text.empty()) return nullptr;
  uint64_t count = 0;
  if (field.kind == PlanFieldKind::kCount && absl::SimpleAtoi(text, &count)) {
    return count;
  }
  return text;
}

Json LabelsJson(const google::protobuf::Map<std::string, std::string>& labels) {
  Json object = Json::object();
  for (const auto& [name, value] :
       std::map<std::string, std::string>(labels.begin(), labels.end())) {
    object[name] = value;
  }
  return object;
}

Json TextsJson(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

Json RequestJson(const JobRequest& request) {
  const auto moment = [](int64_t millis) {
    return millis == 0 ? Json(nullptr) : Json(TimeText(millis));
  };
  return {{"plan_id", request.plan_id()},
          {"due_at", moment(request.due_at_ms())},
          {"attempt", request.attempt()},
          {"requester", request.requester()},
          {"not_before", moment(request.not_before_ms())},
          {"expires_at", moment(request.expires_at_ms())},
          {"store", request.store()},
          {"base", request.base()},
          {"label", request.label()},
          {"store_id", request.store_id()},
          {"from_store", request.from_store()},
          {"backup_ids", TextsJson(request.backup_ids())},
          {"allow_empty", request.allow_empty()},
          {"read_back", request.read_back()},
          {"timeout_ms", request.timeout_ms()}};
}

const char* SuspensionWord(RetentionSuspension::Kind kind) {
  switch (kind) {
    case RetentionSuspension::Kind::kFuture:
      return "future";
    case RetentionSuspension::Kind::kShrunk:
      return "shrunk";
    case RetentionSuspension::Kind::kAdopted:
      break;
  }
  return "adopted";
}

}  // namespace

Json PlanJson(const Plan& plan) {
  const PlanSpec& spec = plan.spec();
  Json json = {{"id", plan.id()},
               {"name", plan.name()},
               {"paused", plan.paused()},
               {"revision", plan.revision()},
               {"created_at", TimeText(plan.created_at_ms())},
               {"updated_at", TimeText(plan.updated_at_ms())},
               {"source", spec.source()},
               {"repos", TextsJson(spec.repos())}};
  for (const PlanField& field : PlanFields()) {
    json[std::string(field.name)] = FieldJson(field, spec);
  }
  json["labels"] = LabelsJson(spec.labels());
  return json;
}

Json TargetJson(const PlanTarget& target) {
  return {{"plan_id", target.plan_id},
          {"repo_id", target.repo_id},
          {"next_due", MomentJson(target.next_due)},
          {"run_at", MomentJson(target.run_at)},
          {"last_fired",
           MomentJson(target.last_fired.value_or(absl::InfinitePast()))},
          {"store_id", target.store_id}};
}

Json FiringJson(const Firing& firing) {
  return {{"plan_id", firing.plan_id},
          {"repo_id", firing.repo_id},
          {"due_at", MomentJson(firing.due_at)},
          {"outcome", std::string(OutcomeWord(firing.outcome))},
          {"reason", firing.reason},
          {"job_id", firing.job_id},
          {"attempts", firing.attempts},
          {"fired_at", MomentJson(firing.fired_at)},
          {"finished_at", MomentJson(firing.finished_at)},
          {"record_id", firing.record_id},
          {"size_bytes", firing.size_bytes},
          {"duration_ms", absl::ToInt64Milliseconds(firing.duration)}};
}

Json PlannedTimeJson(const PlannedTime& time) {
  return {{"utc", time.utc},
          {"local", time.local},
          {"zone", time.zone},
          {"note", time.note}};
}

Json QueuedRunJson(const QueuedRun& run) {
  Json json = ToJson(run.job);
  json["request"] = RequestJson(run.request);
  return json;
}

Json VerdictJson(const RetentionVerdict& verdict) {
  Json reasons = Json::array();
  for (const RetentionReason& reason : verdict.reasons) {
    reasons.push_back(
        {{"reason", std::string(RetentionReasonWord(reason.kind))},
         {"text", reason.text}});
  }
  return {{"id", verdict.id}, {"keep", verdict.keep}, {"reasons", reasons}};
}

Json DecisionJson(const RetentionDecision& decision) {
  Json verdicts = Json::array();
  for (const RetentionVerdict& verdict : decision.verdicts) {
    verdicts.push_back(VerdictJson(verdict));
  }
  Json suspended = Json::array();
  for (const RetentionSuspension& suspension : decision.suspended) {
    suspended.push_back({{"reason", SuspensionWord(suspension.kind)},
                         {"archive_id", suspension.archive_id},
                         {"text", suspension.text}});
  }
  return {{"verdicts", verdicts},
          {"removals", decision.removals},
          {"suspended", suspended},
          {"considered", decision.summary.considered},
          {"removed", decision.summary.removed},
          {"removed_bytes", decision.summary.removed_bytes},
          {"held_by_pin", decision.summary.held_by_pin},
          {"held_by_floor", decision.summary.held_by_floor}};
}

Json TokenJson(const AccessToken& token) {
  return {{"id", token.id},
          {"role", token.role},
          {"plan_id", token.plan_id},
          {"label", token.label},
          {"created_at", MomentJson(token.created_at)},
          {"expires_at", MomentJson(token.expires_at)},
          {"revoked_at", MomentJson(token.revoked_at)},
          {"last_used_at", MomentJson(token.last_used_at)}};
}

Json NotificationJson(const OutboxMessage& message) {
  const bool given_up = message.next_attempt == absl::InfiniteFuture();
  const Json body = Json::parse(message.body, /*cb=*/nullptr,
                                /*allow_exceptions=*/false);
  return {{"id", message.id},
          {"at", MomentJson(message.at)},
          {"channel", message.channel},
          {"subject", message.subject},
          {"state", given_up ? "given_up" : "waiting"},
          {"attempts", message.attempts},
          {"next_attempt_at", MomentJson(message.next_attempt)},
          {"error", message.error},
          {"body", body.is_object() ? body : Json::object()}};
}

Json AuditJson(const AuditEntry& entry) {
  return {{"id", entry.id},         {"at", MomentJson(entry.at)},
          {"who", entry.who},       {"action", entry.action},
          {"target", entry.target}, {"outcome", entry.outcome}};
}

}  // namespace sluice::service
