#include "sluice/service/work/purge.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/archives.h"
#include "sluice/service/work/prune.h"

namespace sluice::service {
namespace {

constexpr size_t kMostNames = 10;

// "a, b and 3 more".
std::string Names(std::vector<std::string> names) {
  const size_t all = names.size();
  names.resize(std::min(all, kMostNames));
  const std::string text = absl::StrJoin(names, ", ");
  return all > kMostNames
             ? absl::StrCat(text, " and ", all - kMostNames, " more")
             : text;
}

absl::StatusOr<std::vector<std::string>> JobsOf(const Context& context,
                                                Catalog& catalog,
                                                const BackupRepo& repo,
                                                absl::string_view except) {
  CatalogFilter filter;
  filter.repo_id = repo.id();
  filter.unfinished_only = true;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          catalog.ListJobs(context, filter));
  std::vector<std::string> ids;
  for (const CatalogJob& entry : jobs) {
    // A dead one needs nothing any more.
    const bool over = entry.job.status() == BackupJob::RUNNING && !entry.live &&
                      entry.owner_ended;
    if (!over && entry.job.id() != except) ids.push_back(entry.job.id());
  }
  return ids;
}

absl::StatusOr<std::vector<std::string>> PlansOf(const Context& context,
                                                 Catalog& catalog,
                                                 const BackupRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Plan> plans,
                          catalog.plans().ListPlans(context));
  std::vector<std::string> names;
  for (const Plan& plan : plans) {
    const auto& repos = plan.spec().repos();
    if (std::find(repos.begin(), repos.end(), repo.id()) != repos.end()) {
      names.push_back(plan.name());
    }
  }
  return names;
}

absl::Status InUse(const BackupRepo& repo, absl::string_view by,
                   absl::string_view hint) {
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition, kRepoInUse,
                absl::StrCat("repo ", repo.name(), " is needed by ", by)),
      hint);
}

absl::Status CheckJobs(const Context& context, Catalog& catalog,
                       const BackupRepo& repo, absl::string_view except) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> jobs,
                          JobsOf(context, catalog, repo, except));
  if (jobs.empty()) return absl::OkStatus();
  return InUse(repo, absl::StrCat("jobs that are not over: ", Names(jobs)),
               "wait for them, or end them with `sluice job cancel`");
}

absl::Status Protected(absl::string_view code, const std::string& why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, code, why);
}

// The state of a purge: what goes, and what stays with the repo.
class Purge {
 public:
  Purge(const Context& context, Catalog& catalog, const OpenedRepo& repo,
        const PurgeOptions& options)
      : context_(context), catalog_(catalog), repo_(repo), options_(options) {}

  absl::StatusOr<PurgeReport> Run() {
    SLUICE_RETURN_IF_ERROR(
        CheckRepoIsFree(context_, catalog_, repo_.row, options_.job_id));
    SLUICE_RETURN_IF_ERROR(Look());
    report_.problem = Remove();
    if (report_.problem.ok()) report_.problem = Forget();
    if (!report_.problem.ok()) {
      for (const std::string& id : ours_) held_.emplace(id, report_.problem);
    }
    for (const auto& [id, status] : held_) report_.kept.push_back({id, status});
    return std::move(report_);
  }

 private:
  // Reads what is there, and decides what stays.
  absl::Status Look() {
    SLUICE_ASSIGN_OR_RETURN(records_, RecordsOf(context_, catalog_, repo_));
    SLUICE_ASSIGN_OR_RETURN(archives_, LoadArchives(context_, repo_, records_));
    SLUICE_ASSIGN_OR_RETURN(
        const std::vector<RetentionGroup> groups,
        GroupsOf(context_, catalog_, repo_, archives_, options_.job_id));
    const std::string self = catalog_.catalog_id();
    for (const ArchiveRow& row : archives_) {
      if (IsOurs(row, self)) {
        ours_.insert(row.id);
      } else {
        report_.others.push_back({row.id, WhyOthers(row)});
      }
    }
    const absl::Time now = options_.clock->Now();
    for (const RetentionGroup& group : groups) {
      for (const RetentionArchive& archive : group.archives) {
        if (!archive.others) HoldIfProtected(archive, now);
      }
    }
    for (const ArchiveRow& row : archives_) {
      if (ours_.count(row.id) == 0) HoldBasesOf(row, "another catalog's ");
    }
    return absl::OkStatus();
  }

  bool IsOurs(const ArchiveRow& row, const std::string& self) const {
    if (row.record.has_value()) return true;
    return row.manifest.ok() && row.manifest->repo_id() == repo_.row.id() &&
           row.manifest->catalog_id() == self;
  }

  static absl::Status WhyOthers(const ArchiveRow& row) {
    if (!row.manifest.ok()) return row.manifest.status();
    return MakeError(
        absl::StatusCode::kFailedPrecondition, kArchiveOfOthers,
        absl::StrCat("catalog ", row.manifest->catalog_id(), " made it"));
  }

  void HoldIfProtected(const RetentionArchive& archive, absl::Time now) {
    absl::Status why;
    if (archive.pin.has_value() && archive.pin->until > now) {
      why =
          Protected(kArchiveProtected,
                    archive.pin->reason.empty()
                        ? "it is pinned"
                        : absl::StrCat("it is pinned: ", archive.pin->reason));
    } else if (!archive.in_use.empty()) {
      why =
          Protected(kArchiveInUse, absl::StrCat("in use by ", archive.in_use));
    }
    if (!why.ok()) Hold(archive.id, why);
  }

  void Hold(const std::string& id, const absl::Status& why) {
    if (ours_.count(id) == 0 || !held_.emplace(id, why).second) return;
    const auto row =
        std::find_if(archives_.begin(), archives_.end(),
                     [&](const ArchiveRow& other) { return other.id == id; });
    if (row != archives_.end()) HoldBasesOf(*row, "");
  }

  // What stays must stay whole.
  void HoldBasesOf(const ArchiveRow& row, absl::string_view whose) {
    const auto chain = ChainOf(archives_, row);
    if (!chain.ok()) return;
    for (const ArchiveRow& link : *chain) {
      if (link.id == row.id || ours_.count(link.id) == 0) continue;
      held_.emplace(link.id, Protected(kArchiveProtected,
                                       absl::StrCat("the base of ", whose,
                                                    row.id, ", which stays")));
    }
  }

  absl::Status Remove() {
    for (const std::string& id : WithDependants(archives_, ours_)) {
      if (ours_.count(id) == 0 || held_.count(id) > 0) continue;
      SLUICE_RETURN_IF_ERROR(RemoveOne(id));
    }
    // Its archive went, and its row did not, when an earlier purge was broken
    // off.
    for (const BackupRecord& record :
         RecordsWithoutArchive(records_, archives_)) {
      SLUICE_RETURN_IF_ERROR(RemoveOne(record.id()));
    }
    return absl::OkStatus();
  }

  absl::Status RemoveOne(const std::string& id) {
    SLUICE_RETURN_IF_ERROR(context_.status());
    // Who came meanwhile may read what is next.
    SLUICE_RETURN_IF_ERROR(
        CheckJobs(context_, catalog_, repo_.row, options_.job_id));
    const absl::Status removed = RemoveArchive(context_, catalog_, repo_, id);
    SLUICE_RETURN_IF_ERROR(context_.status());
    if (removed.ok()) {
      report_.removed.push_back(id);
      ours_.erase(id);
    } else {
      ours_.insert(id);  // also where only its record was left
      Hold(id, removed);
    }
    return absl::OkStatus();
  }

  // Only what the place itself says counts: something may have been published
  // since it was read.
  absl::Status Forget() {
    if (!held_.empty()) return Incomplete();
    SLUICE_RETURN_IF_ERROR(
        CheckRepoIsFree(context_, catalog_, repo_.row, options_.job_id));
    SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                            RecordsOf(context_, catalog_, repo_));
    SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> archives,
                            LoadArchives(context_, repo_, records));
    const std::string self = catalog_.catalog_id();
    for (const ArchiveRow& row : archives) {
      if (!IsOurs(row, self)) continue;
      held_.emplace(row.id, Protected(kArchiveInUse,
                                      "it was made since the purge began"));
    }
    for (const BackupRecord& record :
         RecordsWithoutArchive(records, archives)) {
      held_.emplace(record.id(), Protected(kArchiveInUse,
                                           "its record came since the purge "
                                           "began"));
    }
    if (!held_.empty()) return Incomplete();
    return catalog_.RemoveRepo(context_, repo_.row.id());
  }

  absl::Status Incomplete() const {
    std::vector<std::string> ids;
    absl::Status refused;
    for (const auto& [id, status] : held_) {
      ids.push_back(id);
      const std::string code = ErrorCodeOf(status);
      if (refused.ok() && code != kArchiveProtected && code != kArchiveInUse) {
        refused = Annotate(status, absl::StrCat("archive ", id));
      }
    }
    const std::string what =
        absl::StrCat("repo ", repo_.row.name(), " is kept: ", held_.size(),
                     " of its archives remain: ", Names(ids));
    if (!refused.ok()) return Annotate(refused, what);
    return WithHint(
        MakeError(absl::StatusCode::kFailedPrecondition, kPurgeIncomplete,
                  what),
        "`sluice unpin` those that are pinned, wait for who uses the others, "
        "and purge again");
  }

  const Context& context_;
  Catalog& catalog_;
  const OpenedRepo& repo_;
  const PurgeOptions& options_;
  std::vector<BackupRecord> records_;
  std::vector<ArchiveRow> archives_;
  std::set<std::string> ours_;
  std::map<std::string, absl::Status> held_;
  PurgeReport report_;
};

}  // namespace

absl::Status CheckRepoIsFree(const Context& context, Catalog& catalog,
                             const BackupRepo& repo, absl::string_view job_id) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> plans,
                          PlansOf(context, catalog, repo));
  if (!plans.empty()) {
    return InUse(repo, absl::StrCat("plans: ", Names(plans)),
                 "`sluice plan edit NAME --repo OTHER`, or `plan remove`, "
                 "first");
  }
  return CheckJobs(context, catalog, repo, job_id);
}

absl::StatusOr<PurgeReport> PurgeRepo(const Context& context, Catalog& catalog,
                                      const OpenedRepo& repo,
                                      const PurgeOptions& options) {
  return Purge(context, catalog, repo, options).Run();
}

}  // namespace sluice::service
