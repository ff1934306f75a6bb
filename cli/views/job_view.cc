#include "sluice/cli/views/job_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/terminal/text.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kJobsListed = 50;

// "dead": running by its row, and owned by nobody any more.
std::string StatusText(const CatalogJob& job) {
  const std::string status = StatusName(job.job.status());
  if (IsTerminal(job.job) || job.job.status() == BackupJob::PENDING) {
    return status;
  }
  if (!job.live) return absl::StrCat(status, " (dead)");
  return job.cancel_requested ? absl::StrCat(status, " (to end)") : status;
}

Json JobJson(const CatalogJob& job) {
  Json json = ToJson(job.job);
  json["live"] = job.live;
  json["cancel_requested"] = job.cancel_requested;
  json["owner"] = job.lease.has_value() ? job.lease->owner : "";
  return json;
}

// What `words` gives for one of the enum's values; else which there are.
template <typename Enum>
absl::StatusOr<Enum> ParseWord(const Command& command, const char* flag,
                               const std::vector<Enum>& values,
                               std::string (*word)(Enum), Enum none) {
  if (!command.Has(flag)) return none;
  std::vector<std::string> known;
  for (const Enum value : values) {
    known.push_back(word(value));
    if (known.back() == command.Get(flag)) return value;
  }
  return InvalidArgument(
      absl::StrCat("--", flag, " ", command.Get(flag), " is unknown"),
      absl::StrJoin(known, ", "));
}

// Of one that runs, until now; empty before its start.
std::string TookText(const BackupJob& job, absl::Time now) {
  if (job.started_at_ms() == 0) return "";
  const absl::Time end = job.finished_at_ms() > 0
                             ? absl::FromUnixMillis(job.finished_at_ms())
                             : now;
  return DurationText(std::max(end - absl::FromUnixMillis(job.started_at_ms()),
                               absl::ZeroDuration()));
}

constexpr size_t kJobFieldWidth = 12;

std::string ShowText(const CatalogJob& row) {
  const BackupJob& job = row.job;
  std::string text = absl::StrCat(job.id(), "\n");
  AppendField(text, kJobFieldWidth, "kind", KindName(job.kind()));
  AppendField(text, kJobFieldWidth, "plan", job.plan_id());
  AppendField(text, kJobFieldWidth, "status", StatusText(row));
  AppendField(text, kJobFieldWidth, "stage",
              absl::StrCat(job.stage(), ", ", job.progress(), "%"));
  AppendField(text, kJobFieldWidth, "store", job.store_id());
  AppendField(text, kJobFieldWidth, "backup", job.backup_id());
  AppendField(text, kJobFieldWidth, "bytes", SizeText(job.bytes_done()));
  AppendField(text, kJobFieldWidth, "started", TimeText(job.started_at_ms()));
  AppendField(text, kJobFieldWidth, "finished", TimeText(job.finished_at_ms()));
  AppendField(text, kJobFieldWidth, "owner",
              row.lease.has_value() ? row.lease->owner : "");
  AppendField(text, kJobFieldWidth, "error", job.error());
  AppendField(text, kJobFieldWidth, "error code", job.error_code());
  for (const Warning& warning : job.warnings()) {
    AppendField(text, kJobFieldWidth, "warning",
                absl::StrCat(warning.message(), " (", warning.code(), ")"));
  }
  return text;
}

}  // namespace

std::string NameOrId(const NamesById& names, const std::string& id) {
  const auto found = names.find(id);
  return found == names.end() || found->second.empty() ? id : found->second;
}

absl::StatusOr<JobWords> JobWordsOf(const Command& command) {
  JobWords words;
  SLUICE_ASSIGN_OR_RETURN(words.limit, command.GetCount("limit", kJobsListed));
  SLUICE_ASSIGN_OR_RETURN(
      words.status,
      (ParseWord<BackupJob::Status>(
          command, "status",
          {BackupJob::PENDING, BackupJob::RUNNING, BackupJob::SUCCEEDED,
           BackupJob::FAILED, BackupJob::INTERRUPTED},
          &StatusName, BackupJob::STATUS_UNSPECIFIED)));
  SLUICE_ASSIGN_OR_RETURN(
      words.kind, (ParseWord<BackupJob::Kind>(
                      command, "kind",
                      {BackupJob::BACKUP, BackupJob::RESTORE, BackupJob::VERIFY,
                       BackupJob::PRUNE, BackupJob::PURGE, BackupJob::DRILL},
                      &KindName, BackupJob::KIND_UNSPECIFIED)));
  return words;
}

void PrintJobs(Console& console, const std::vector<CatalogJob>& jobs,
               const NamesById& repos, absl::Time now) {
  Table table({"JOB ID", "KIND", "REPO", "STATUS", "STARTED", "DURATION",
               "PROGRESS", "STORE", "ERROR"});
  for (const CatalogJob& row : jobs) {
    if (console.json()) console.ResultJson(JobJson(row));
    const BackupJob& job = row.job;
    table.Add({job.id(), KindName(job.kind()), NameOrId(repos, job.repo_id()),
               StatusText(row), TimeText(job.started_at_ms()),
               TookText(job, now), absl::StrCat(job.progress(), "%"),
               job.store_id(), job.error_code()});
  }
  if (!console.json()) console.Result(table.Text());
}

void PrintJob(Console& console, const CatalogJob& job) {
  if (console.json()) {
    console.ResultJson(JobJson(job));
  } else {
    console.Result(ShowText(job));
  }
}

void PrintCancelled(Console& console, const BackupJob& job) {
  const std::string& id = job.id();
  if (console.json()) {
    console.ResultJson({{"id", id},
                        {"cancel_requested", true},
                        {"status", StatusName(job.status())}});
  } else if (IsTerminal(job)) {
    console.Done(absl::StrCat(id, " has ended\n"));
  } else {
    console.Done(absl::StrCat(id, " asked to end; `sluice job wait ", id,
                              "` waits for it\n"));
  }
}

absl::Status ErrorOfJob(const BackupJob& job) {
  const std::string& word = job.error_code();
  const absl::StatusCode code =
      word == kCancelled          ? absl::StatusCode::kCancelled
      : word == kDeadlineExceeded ? absl::StatusCode::kDeadlineExceeded
                                  : absl::StatusCode::kAborted;
  return MakeError(code, word.empty() ? kInternal : absl::string_view(word),
                   job.error());
}

}  // namespace sluice::cli
