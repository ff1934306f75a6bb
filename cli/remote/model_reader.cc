#include "sluice/cli/remote/model_reader.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::cli {
namespace {

absl::StatusOr<Firing::Outcome> ReadOutcome(const AnswerJson& json) {
  SLUICE_ASSIGN_OR_RETURN(const std::string word, ReadText(json, "outcome"));
  for (const Firing::Outcome outcome :
       {Firing::Outcome::kOpen, Firing::Outcome::kSucceeded,
        Firing::Outcome::kFailed, Firing::Outcome::kInterrupted,
        Firing::Outcome::kSkipped, Firing::Outcome::kMissed}) {
    if (OutcomeWord(outcome) == word) return outcome;
  }
  return WrongField("outcome", "outcome that is known");
}

absl::Status ReadProblemOf(const AnswerJson& json) {
  const auto error = json.find("error");
  if (error == json.end() || error->is_null()) {
    return AnswerError("an archive has neither manifest nor error");
  }
  SLUICE_RETURN_IF_ERROR(CheckObject(*error, "error"));
  SLUICE_ASSIGN_OR_RETURN(const std::string code, ReadText(*error, "code"));
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadText(*error, "message"));
  if (code.empty()) return WrongField("code", "word");
  return MakeError(code == kArchiveDamaged ? absl::StatusCode::kDataLoss
                                           : absl::StatusCode::kUnknown,
                   code, text);
}

}  // namespace

absl::StatusOr<CatalogJob> ReadJob(const AnswerJson& json) {
  CatalogJob job;
  SLUICE_RETURN_IF_ERROR(ReadMessage(json, "job", job.job));
  SLUICE_RETURN_IF_ERROR(ReadFlag(json, "live", job.live));
  SLUICE_RETURN_IF_ERROR(
      ReadFlag(json, "cancel_requested", job.cancel_requested));
  SLUICE_ASSIGN_OR_RETURN(const std::string owner, ReadText(json, "owner"));
  if (!owner.empty()) {
    job.lease.emplace();
    job.lease->owner = owner;
  }
  if (job.job.id().empty()) return WrongField("id", "id");
  if (job.job.status() == BackupJob::STATUS_UNSPECIFIED) {
    return WrongField("status", "status that is known");
  }
  return job;
}

absl::StatusOr<QueuedRun> ReadQueued(const AnswerJson& json) {
  QueuedRun run;
  SLUICE_ASSIGN_OR_RETURN(CatalogJob job, ReadJob(json));
  run.job = std::move(job.job);
  const auto request = json.find("request");
  if (request != json.end() && !request->is_null()) {
    SLUICE_RETURN_IF_ERROR(ReadMessage(*request, "request", run.request));
  }
  return run;
}

absl::StatusOr<BackupRecord> ReadRecord(const AnswerJson& json) {
  BackupRecord record;
  SLUICE_RETURN_IF_ERROR(ReadMessage(json, "backup", record));
  if (record.id().empty()) return WrongField("id", "id");
  return record;
}

absl::StatusOr<BackupRepo> ReadRepo(const AnswerJson& json) {
  BackupRepo repo;
  SLUICE_RETURN_IF_ERROR(ReadMessage(json, "repo", repo));
  if (repo.id().empty()) return WrongField("id", "id");
  return repo;
}

absl::StatusOr<service::ArchiveRow> ReadArchive(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "archive"));
  service::ArchiveRow row;
  SLUICE_ASSIGN_OR_RETURN(row.id, ReadText(json, "id"));
  if (row.id.empty()) return WrongField("id", "id");
  SLUICE_ASSIGN_OR_RETURN(const uint64_t place, ReadCount(json, "recorded_as"));
  row.recorded_as = place;
  const auto record = json.find("record");
  if (record != json.end() && !record->is_null()) {
    SLUICE_ASSIGN_OR_RETURN(row.record, ReadRecord(*record));
  }
  const auto manifest = json.find("manifest");
  if (manifest == json.end() || manifest->is_null()) {
    row.manifest = ReadProblemOf(json);
    return row;
  }
  Manifest read;
  SLUICE_RETURN_IF_ERROR(ReadMessage(*manifest, "manifest", read));
  row.manifest = std::move(read);
  return row;
}

absl::StatusOr<Firing> ReadFiring(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "firing"));
  Firing firing;
  SLUICE_ASSIGN_OR_RETURN(firing.plan_id, ReadText(json, "plan_id"));
  SLUICE_ASSIGN_OR_RETURN(firing.repo_id, ReadText(json, "repo_id"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "due_at", firing.due_at));
  SLUICE_ASSIGN_OR_RETURN(firing.outcome, ReadOutcome(json));
  SLUICE_ASSIGN_OR_RETURN(firing.reason, ReadText(json, "reason"));
  SLUICE_ASSIGN_OR_RETURN(firing.job_id, ReadText(json, "job_id"));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t attempts, ReadCount(json, "attempts"));
  if (attempts > std::numeric_limits<uint32_t>::max()) {
    return WrongField("attempts", "count");
  }
  firing.attempts = static_cast<uint32_t>(attempts);
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "fired_at", firing.fired_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "finished_at", firing.finished_at));
  SLUICE_ASSIGN_OR_RETURN(firing.record_id, ReadText(json, "record_id"));
  SLUICE_ASSIGN_OR_RETURN(firing.size_bytes, ReadCount(json, "size_bytes"));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t took, ReadCount(json, "duration_ms"));
  if (took > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return WrongField("duration_ms", "count");
  }
  firing.duration = absl::Milliseconds(static_cast<int64_t>(took));
  return firing;
}

absl::StatusOr<service::PlannedTime> ReadPlannedTime(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "time"));
  service::PlannedTime time;
  SLUICE_ASSIGN_OR_RETURN(time.utc, ReadText(json, "utc"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "utc", time.nominal));
  SLUICE_ASSIGN_OR_RETURN(time.local, ReadText(json, "local"));
  SLUICE_ASSIGN_OR_RETURN(time.zone, ReadText(json, "zone"));
  SLUICE_ASSIGN_OR_RETURN(time.note, ReadText(json, "note"));
  return time;
}

absl::StatusOr<AccessToken> ReadToken(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "token"));
  AccessToken token;
  SLUICE_ASSIGN_OR_RETURN(token.id, ReadText(json, "id"));
  if (token.id.empty()) return WrongField("id", "id");
  SLUICE_ASSIGN_OR_RETURN(token.role, ReadText(json, "role"));
  SLUICE_ASSIGN_OR_RETURN(token.plan_id, ReadText(json, "plan_id"));
  SLUICE_ASSIGN_OR_RETURN(token.label, ReadText(json, "label"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "created_at", token.created_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "expires_at", token.expires_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "revoked_at", token.revoked_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "last_used_at", token.last_used_at));
  return token;
}

}  // namespace sluice::cli
