// job list, job show, job cancel.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/verbs.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kJobsListed = 50;

// "dead": running by its row, and owned by nobody any more.
std::string StatusText(const CatalogJob& job) {
  const std::string status = StatusName(job.job.status());
  if (IsTerminal(job.job)) return status;
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

constexpr size_t kJobFieldWidth = 12;

std::string ShowText(const CatalogJob& row) {
  const BackupJob& job = row.job;
  std::string text = absl::StrCat(job.id(), "\n");
  AppendField(text, kJobFieldWidth, "kind", KindName(job.kind()));
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
  SLUICE_ASSIGN_OR_RETURN(const uint64_t limit,
                          session.command().GetCount("limit", kJobsListed));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  CatalogFilter filter;
  filter.limit = limit;
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          catalog->ListJobs(session.context(), filter));
  std::reverse(jobs.begin(), jobs.end());
  Table table({"ID", "STARTED", "KIND", "STATUS", "STORE", "SIZE", "ERROR"});
  for (const CatalogJob& row : jobs) {
    if (session.console().json()) session.console().ResultJson(JobJson(row));
    const BackupJob& job = row.job;
    table.Add({job.id(), TimeText(job.started_at_ms()), KindName(job.kind()),
               StatusText(row), job.store_id(), SizeText(job.bytes_done()),
               job.error_code()});
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

Outcome RunJobCancelVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(session));
  SLUICE_RETURN_IF_ERROR(
      catalog->RequestCancel(session.context(), job.job.id()));
  if (session.console().json()) {
    session.console().ResultJson(
        {{"id", job.job.id()}, {"cancel_requested", true}});
  } else {
    session.console().Done(absl::StrCat(job.job.id(), " asked to end\n"));
  }
  return {};
}

}  // namespace sluice::cli
