#ifndef SLUICE_SERVICE_JSON_JSON_H_
#define SLUICE_SERVICE_JSON_JSON_H_

// The models as JSON: what --json prints and what the API answers. Our own
// encoder, not protobuf's: sizes are numbers, statuses lower case, times RFC
// 3339 in UTC (null where there is none), all fields present, in a fixed order.
// Fields are only ever added; golden files hold it. Texts are as they came: who
// writes them out replaces what is not UTF-8. No secret is in any of it, as none
// is in the models.
//
// Example:
//
//   const Json json = ToJson(job);
//   json["status"];  // "succeeded"
//   json["bytes_done"].is_number();
//
// Pure; any thread.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/access_store.h"
#include "sluice/catalog/outbox_store.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/json/json_text.h"
#include "sluice/service/retention/retention.h"
#include "sluice/service/schedule/preview.h"

namespace sluice::service {

using Json = nlohmann::ordered_json;

// --- what happened

Json ToJson(const BackupRecord& record);
// Of a purge also "failed_record_ids": the archives that hold the repo.
Json ToJson(const BackupJob& job);
Json ToJson(const BackupRepo& repo);
Json ToJson(const Manifest& manifest);
Json ToJson(const absl::optional<BackupRecord>& record);  // null
Json ToJson(const absl::optional<BackupJob>& job);

// The fields of ToJson, into the object that is open there.
void WriteFields(const BackupRecord& record, JsonText& text);
void WriteFields(const BackupJob& job, JsonText& text);

// {"error":{"code","message","hint"},"job":{...}}, the job null where there is
// none.
Json ErrorJson(const absl::Status& status,
               const absl::optional<BackupJob>& job);

// --- what is to come

// Each field of PlanFields by its name: a count as a number, a flag as a
// boolean, all else as SetPlanField takes it; null where nothing is said.
// "repos" holds ids.
Json PlanJson(const Plan& plan);
// A plan in one of its repos.
Json TargetJson(const PlanTarget& target);
// A due time and what became of it.
Json FiringJson(const Firing& firing);
// One that is to come.
Json PlannedTimeJson(const PlannedTime& time);
// The job, with a "request" that says what it is to do.
Json QueuedRunJson(const QueuedRun& run);

// --- what goes and what stays

// {"id","keep","reasons":[{"reason","text"}]}.
Json VerdictJson(const RetentionVerdict& verdict);
// {"verdicts","removals","suspended","considered",...}.
Json DecisionJson(const RetentionDecision& decision);

// --- who is told

// With its body as it is sent.
Json NotificationJson(const OutboxMessage& message);

// --- who may ask, and who did

// Without its hash.
Json TokenJson(const AccessToken& token);
Json AuditJson(const AuditEntry& entry);

// --- words

// "succeeded", "backup": as in JSON.
std::string StatusName(BackupJob::Status status);
std::string KindName(BackupJob::Kind kind);
// "2026-11-22T10:42:33.125Z"; empty for 0.
std::string TimeText(int64_t milliseconds);
// The same; empty for what is infinite, and for the epoch.
std::string TimeText(absl::Time time);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_JSON_JSON_H_
