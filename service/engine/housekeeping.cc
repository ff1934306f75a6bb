#include "sluice/service/engine/housekeeping.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/reconcile.h"
#include "sluice/catalog/settle.h"
#include "sluice/service/engine/verify_budget.h"
#include "sluice/service/repo_view.h"
#include "sluice/service/work/open_repo.h"
#include "sluice/service/work/prune.h"

namespace sluice::service {
namespace {

absl::StatusOr<OpenedRepo> Open(const Context& context, Catalog& catalog,
                                PluginHost& host, const std::string& repo_id,
                                const std::string& owner) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo row,
                          catalog.GetRepo(context, repo_id));
  return OpenKnownRepo(context, host, row, RepoUse::kWrite, owner);
}

}  // namespace

Housekeeping::Housekeeping(Catalog* catalog, PluginHost* host,
                           HousekeepingOptions options)
    : catalog_(catalog),
      host_(host),
      options_(std::move(options)),
      watch_(options_.clock) {}

void Housekeeping::EndDeadJobs(const Context& context) {
  if (watch_.IsSteady() && old_rows_wait_) DeleteOldRows(context);
  SettleOptions settle;
  settle.clock = options_.clock;
  const auto settled = SettleDeadJobs(context, *catalog_, settle);
  if (!settled.ok()) return Tell("end dead jobs", settled.status());
  CatalogFilter running;
  running.status = BackupJob::RUNNING;
  const auto jobs = catalog_->ListJobs(context, running);
  if (!jobs.ok()) return Tell("end dead jobs", jobs.status());
  std::set<std::string> repos;
  for (const CatalogJob& entry : *jobs) {
    if (!entry.live) repos.insert(entry.job.repo_id());
  }
  for (const std::string& repo : repos) ReconcileRepo(context, repo);
}

void Housekeeping::ReconcileRepo(const Context& context,
                                 const std::string& repo_id) {
  const std::string what = absl::StrCat("end dead jobs in repo ", repo_id);
  const absl::StatusOr<OpenedRepo> repo =
      Open(context, *catalog_, *host_, repo_id, options_.owner);
  if (!repo.ok()) return Tell(what, repo.status());
  RepoView view(repo->destination);
  ReconcileOptions options;
  options.clock = options_.clock;
  const auto report = Reconcile(context, *catalog_, repo->row, view, options);
  Tell(what, report.ok() ? report->status() : report.status());
}

void Housekeeping::DailyPass(const Context& context) {
  const auto targets = catalog_->plans().ListTargets(context, "");
  if (!targets.ok()) return Tell("list plans", targets.status());
  std::set<std::string> repos;
  for (const PlanTarget& target : *targets) repos.insert(target.repo_id);
  for (const std::string& id : repos) {
    const std::string what = absl::StrCat("prune repo ", id);
    const absl::StatusOr<OpenedRepo> repo =
        Open(context, *catalog_, *host_, id, options_.owner);
    if (!repo.ok()) {
      Tell(what, repo.status());
      continue;
    }
    PruneOptions prune;
    prune.clock = options_.clock;
    const auto report = PruneRepo(context, *catalog_, *repo, prune);
    Tell(what, report.ok() ? report->problem : report.status());
  }
  AskForVerification(context, *targets);
  old_rows_wait_ = true;
  if (watch_.IsSteady()) DeleteOldRows(context);
}

// A time whose row went while a clock read 2030 would come a second time.
void Housekeeping::DeleteOldRows(const Context& context) {
  old_rows_wait_ = false;
  const absl::Time now = options_.clock->Now();
  Tell(
      "delete old jobs",
      catalog_->queue().DeleteJobs(context, now - options_.keep_jobs).status());
  Tell("delete old events",
       catalog_->events()
           .DeleteEvents(context, now - options_.keep_events)
           .status());
  Tell("delete old notifications",
       catalog_->outbox()
           .DeleteGivenUp(context, now - options_.keep_notifications)
           .status());
  Tell("delete old firings",
       catalog_->plans()
           .DeleteFirings(context, now - options_.keep_firings)
           .status());
}

void Housekeeping::AskForVerification(const Context& context,
                                      const std::vector<PlanTarget>& targets) {
  const auto plans = catalog_->plans().ListPlans(context);
  if (!plans.ok()) return Tell("list plans", plans.status());
  std::map<std::string, const Plan*> by_id;
  for (const Plan& plan : *plans) by_id[plan.id()] = &plan;
  for (const PlanTarget& target : targets) {
    const auto plan = by_id.find(target.plan_id);
    if (plan == by_id.end()) continue;
    Tell(absl::StrCat("verify archives of plan ", plan->second->name()),
         AskForDueVerification(context, *catalog_, *options_.clock,
                               *plan->second, target.repo_id));
  }
}

void Housekeeping::Tell(absl::string_view what, const absl::Status& status) {
  if (!status.ok() && options_.on_problem) options_.on_problem(what, status);
}

}  // namespace sluice::service
