// job list, job show, job wait, job cancel.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/follow.h"
#include "sluice/cli/verbs/verbs.h"

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

absl::StatusOr<CatalogJob> FindJob(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  const std::string& id = session.command().arguments.front();
  if (id != "latest") return catalog->GetJob(session.context(), id);
  CatalogFilter filter;
  filter.limit = 1;
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          catalog->ListJobs(session.context(), filter));
  if (jobs.empty()) {
    return MakeError(absl::StatusCode::kNotFound, kJobNotFound,
                     "the catalog has no job");
  }
  return jobs.back();
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

absl::StatusOr<CatalogFilter> FilterOf(Session& session) {
  const Command& command = session.command();
  CatalogFilter filter;
  SLUICE_ASSIGN_OR_RETURN(filter.limit, command.GetCount("limit", kJobsListed));
  SLUICE_ASSIGN_OR_RETURN(
      filter.status,
      (ParseWord<BackupJob::Status>(
          command, "status",
          {BackupJob::PENDING, BackupJob::RUNNING, BackupJob::SUCCEEDED,
           BackupJob::FAILED, BackupJob::INTERRUPTED},
          &StatusName, BackupJob::STATUS_UNSPECIFIED)));
  SLUICE_ASSIGN_OR_RETURN(
      filter.kind,
      (ParseWord<BackupJob::Kind>(
          command, "kind",
          {BackupJob::BACKUP, BackupJob::RESTORE, BackupJob::VERIFY,
           BackupJob::PRUNE, BackupJob::PURGE, BackupJob::DRILL},
          &KindName, BackupJob::KIND_UNSPECIFIED)));
  if (command.Has("repo")) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                            KnownRepo(session, command.Get("repo")));
    filter.repo_id = repo.id();
  }
  if (command.Has("plan")) {
    SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                            KnownPlan(session, command.Get("plan")));
    filter.plan_id = plan.id();
  }
  return filter;
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

Outcome RunJobListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogFilter filter, FilterOf(session));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog->ListRepos(session.context()));
  std::map<std::string, std::string> names;
  for (const BackupRepo& repo : repos) names[repo.id()] = repo.name();
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          catalog->ListJobs(session.context(), filter));
  std::reverse(jobs.begin(), jobs.end());
  const absl::Time now = Clock::Real()->Now();
  Table table({"JOB ID", "KIND", "REPO", "STATUS", "STARTED", "DURATION",
               "PROGRESS", "STORE", "ERROR"});
  for (const CatalogJob& row : jobs) {
    if (session.console().json()) session.console().ResultJson(JobJson(row));
    const BackupJob& job = row.job;
    const std::string& name = names[job.repo_id()];
    table.Add(
        {job.id(), KindName(job.kind()), name.empty() ? job.repo_id() : name,
         StatusText(row), TimeText(job.started_at_ms()), TookText(job, now),
         absl::StrCat(job.progress(), "%"), job.store_id(), job.error_code()});
  }
  if (!session.console().json()) session.console().Result(table.Text());
  return {};
}

Outcome RunJobShowVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(session));
  if (session.console().json()) {
    session.console().ResultJson(JobJson(job));
  } else {
    session.console().Result(ShowText(job));
  }
  return {};
}

Outcome RunJobWaitVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(session));
  return FollowJob(session, job.job.id());
}

Outcome RunJobCancelVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(session));
  const std::string& id = job.job.id();
  SLUICE_RETURN_IF_ERROR(catalog->RequestCancel(session.context(), id));
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob after,
                          catalog->GetJob(session.context(), id));
  const bool ended = IsTerminal(after.job);
  if (session.console().json()) {
    session.console().ResultJson({{"id", id},
                                  {"cancel_requested", true},
                                  {"status", StatusName(after.job.status())}});
  } else if (ended) {
    session.console().Done(absl::StrCat(id, " has ended\n"));
  } else {
    session.console().Done(absl::StrCat(id, " asked to end; `sluice job wait ",
                                        id, "` waits for it\n"));
  }
  return {};
}

}  // namespace sluice::cli
