#include "sluice/service/work/prune.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/archives.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/settings/adoption.h"

namespace sluice::service {
namespace {

// Which archives jobs that are not over read or build on, and who.
absl::StatusOr<std::map<std::string, std::string>> UsedBy(
    const Context& context, Catalog& catalog, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives, const std::string& job_id) {
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  filter.unfinished_only = true;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          catalog.ListJobs(context, filter));
  std::map<std::string, std::string> used;
  const auto use = [&](const BackupJob& job, const std::string& id) {
    const auto row =
        std::find_if(archives.begin(), archives.end(),
                     [&](const ArchiveRow& other) { return other.id == id; });
    if (row == archives.end()) return;
    const std::string who = absl::StrCat(
        absl::AsciiStrToLower(BackupJob::Kind_Name(job.kind())), " ", job.id());
    used[id] = who;
    const auto chain = ChainOf(archives, *row);
    if (!chain.ok()) return;
    for (const ArchiveRow& link : *chain) used[link.id] = who;
  };
  for (const CatalogJob& entry : jobs) {
    const BackupJob& job = entry.job;
    // A dead one reads no more.
    const bool over =
        job.status() == BackupJob::RUNNING && !entry.live && entry.owner_ended;
    if (over || job.id() == job_id || job.kind() == BackupJob::PRUNE) continue;
    if (job.kind() != BackupJob::BACKUP) use(job, job.backup_id());
    use(job, job.base_backup_id());
    const auto request = catalog.queue().GetRequest(context, job.id());
    if (!request.ok()) continue;
    for (const std::string& id : request->backup_ids()) use(job, id);
  }
  return used;
}

RetentionArchive SeenBy(const ArchiveRow& row) {
  RetentionArchive archive;
  archive.id = row.id;
  archive.created_at = TimeOfUlid(row.id);
  archive.damaged = row.damaged();
  archive.unreadable = !row.unreadable().ok();
  archive.base_id = row.base_id();
  if (row.manifest.ok()) {
    archive.size_bytes = row.manifest->size_bytes();
    archive.plain_size_bytes = row.manifest->plain_size_bytes();
    archive.counts.insert(row.manifest->source_counts().begin(),
                          row.manifest->source_counts().end());
  }
  if (!row.record.has_value()) return archive;
  const BackupRecord& record = *row.record;
  if (record.pinned()) {
    RetentionPin pin;
    pin.reason = record.pin_reason();
    if (record.pin_ends_at_ms() > 0) {
      pin.until = absl::FromUnixMillis(record.pin_ends_at_ms());
    }
    archive.pin = pin;
  }
  if (record.verified_depth() >= BackupRecord::AUTHENTIC) {
    archive.verified_at = absl::FromUnixMillis(record.verified_at_ms());
  }
  return archive;
}

// The plan's own rules, as they are now.
absl::StatusOr<RetentionInput> InputFor(const RetentionGroup& group,
                                        const Plan& plan, absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(const PlanRules rules, RulesOf(plan));
  RetentionInput input;
  input.archives = group.archives;
  input.rules = rules.retention;
  input.zone = rules.zone;
  input.now = now;
  if (plan.spec().shrink_accepted_at_ms() > 0) {
    input.shrink_accepted_at =
        absl::FromUnixMillis(plan.spec().shrink_accepted_at_ms());
  }
  return input;
}

// Whether the plan's rules may only say what they would remove.
absl::StatusOr<bool> StillAdopted(const Context& context, Catalog& catalog,
                                  const std::string& plan_id,
                                  const PruneOptions& options) {
  if (!options.accept_adopted) {
    return AwaitsAcceptance(context, catalog, plan_id);
  }
  if (!options.dry_run) {
    SLUICE_RETURN_IF_ERROR(AcceptAdopted(context, catalog, plan_id));
  }
  return false;
}

absl::Status CountRemoved(const Context& context, Catalog& catalog,
                          const std::string& plan_id,
                          const std::string& repo_id) {
  CatalogTotal total;
  total.metric = "removed";
  total.plan_id = plan_id;
  total.repo_id = repo_id;
  total.value = 1;
  return catalog.events().AddToTotal(context, total);
}

// Ends removals that were broken off between an archive and its record: under
// the name stands that it was deleted. An archive that is only not there, as on
// a disk that is not mounted, keeps its record.
absl::Status ForgetDeleted(const Context& context, Catalog& catalog,
                           const OpenedRepo& repo, const std::string& plan_id,
                           const std::vector<BackupRecord>& without,
                           PruneReport& report) {
  for (const BackupRecord& record : without) {
    if (record.plan_id().empty()) continue;
    if (!plan_id.empty() && record.plan_id() != plan_id) continue;
    SLUICE_ASSIGN_OR_RETURN(const NameState state,
                            repo.destination->StateOf(context, record.id()));
    if (state != NameState::kTombstone) continue;
    SLUICE_RETURN_IF_ERROR(RemoveArchive(context, catalog, repo, record.id()));
    SLUICE_RETURN_IF_ERROR(
        CountRemoved(context, catalog, record.plan_id(), repo.row.id()));
    report.removed.push_back(record.id());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RemoveArchive(const Context& context, Catalog& catalog,
                           const OpenedRepo& repo, const std::string& id) {
  const absl::Status deleted = repo.destination->Delete(context, id);
  if (!deleted.ok() && ErrorCodeOf(deleted) != kArchiveNotFound) return deleted;
  const absl::Status forgotten = catalog.DeleteRecord(context, id);
  if (forgotten.ok() || ErrorCodeOf(forgotten) == kRecordNotFound) {
    return absl::OkStatus();
  }
  return WithHint(Annotate(forgotten, "the archive is gone, its record is not"),
                  "`sluice reconcile --forget` drops it");
}

absl::StatusOr<std::vector<RetentionGroup>> GroupsOf(
    const Context& context, Catalog& catalog, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives, const std::string& job_id) {
  SLUICE_ASSIGN_OR_RETURN(const auto used,
                          UsedBy(context, catalog, repo, archives, job_id));
  std::vector<RetentionRow> rows;
  for (const ArchiveRow& archive : archives) {
    RetentionRow row;
    if (archive.record.has_value()) row.plan_id = archive.record->plan_id();
    row.store_id = archive.store_id();
    row.repo_id = repo.row.id();
    row.archive = SeenBy(archive);
    const auto user = used.find(archive.id);
    if (user != used.end()) row.archive.in_use = user->second;
    rows.push_back(std::move(row));
  }
  return GroupForRetention(rows);
}

absl::StatusOr<PruneReport> PruneRepo(const Context& context, Catalog& catalog,
                                      const OpenedRepo& repo,
                                      const PruneOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          RecordsOf(context, catalog, repo));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> archives,
                          LoadArchives(context, repo, records));
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<RetentionGroup> groups,
      GroupsOf(context, catalog, repo, archives, options.job_id));
  PruneReport report;
  if (!options.dry_run) {
    SLUICE_RETURN_IF_ERROR(
        ForgetDeleted(context, catalog, repo, options.plan_id,
                      RecordsWithoutArchive(records, archives), report));
  }
  for (const RetentionGroup& group : groups) {
    if (group.plan_id.empty() ||
        (!options.plan_id.empty() && group.plan_id != options.plan_id)) {
      continue;
    }
    const absl::StatusOr<Plan> plan =
        catalog.plans().GetPlan(context, group.plan_id);
    // What a plan left behind that is there no more goes by hand alone.
    if (ErrorCodeOf(plan.status()) == kPlanNotFound) continue;
    SLUICE_RETURN_IF_ERROR(plan.status());
    SLUICE_ASSIGN_OR_RETURN(RetentionInput input,
                            InputFor(group, *plan, options.clock->Now()));
    SLUICE_ASSIGN_OR_RETURN(
        input.adopted, StillAdopted(context, catalog, plan->id(), options));
    SLUICE_ASSIGN_OR_RETURN(RetentionDecision decision, DecideRetention(input));
    for (const std::string& id : decision.removals) {
      if (options.dry_run) break;
      SLUICE_RETURN_IF_ERROR(context.status());
      const absl::Status removed = RemoveArchive(context, catalog, repo, id);
      if (removed.ok()) {
        report.removed.push_back(id);
        SLUICE_RETURN_IF_ERROR(
            CountRemoved(context, catalog, group.plan_id, group.repo_id));
        continue;
      }
      if (report.problem.ok()) {
        report.problem = Annotate(removed, absl::StrCat("archive ", id));
      }
      report.failed.push_back(id);
      // What it builds on must not go before it.
      break;
    }
    report.groups.push_back(
        {group.plan_id, plan->name(), group.store_id, std::move(decision)});
  }
  return report;
}

}  // namespace sluice::service
