#include "sluice/service/engine/kill/ledger.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/context.h"

namespace sluice::service {
namespace {

using Outcome = Firing::Outcome;
constexpr uint32_t kAttempts = 3;

class Auditor {
 public:
  Auditor(Catalog& catalog, absl::Duration period)
      : catalog_(catalog), period_(period) {}

  Ledger Audit(const std::vector<Plan>& plans) {
    Note(ReadJobs());
    for (const Plan& plan : plans) Note(AuditPlan(plan));
    for (const auto& [label, value] : totals_) {
      if (value != 0) Wrong(absl::StrCat(label, " is off by ", value));
    }
    return ledger_;
  }

 private:
  void Wrong(const std::string& what) { ledger_.wrong.push_back(what); }
  void Note(const absl::Status& status) {
    if (!status.ok()) Wrong(status.ToString());
  }
  void Wrong(const Firing& firing, absl::string_view what) {
    Wrong(absl::StrCat(firing.plan_id, " at ", absl::FormatTime(firing.due_at),
                       " ", OutcomeWord(firing.outcome), " ", firing.reason,
                       " in ", firing.attempts, ": ", what));
  }

  // Totals as they are said, less what is found: at last all are zero.
  absl::Status ReadJobs() {
    const Context context = Context::Background();
    const auto totals = catalog_.events().Totals(context);
    if (!totals.ok()) return totals.status();
    for (const CatalogTotal& total : *totals) {
      if (total.metric == "runs") {
        totals_[absl::StrCat(total.plan_id, " runs ", total.label)] +=
            total.value;
      } else if (total.metric == "missed" || total.metric == "skipped") {
        over_[total.plan_id] += total.value;
      }
    }
    const auto jobs = catalog_.ListJobs(context, {});
    if (!jobs.ok()) return jobs.status();
    for (const CatalogJob& entry : *jobs) {
      const BackupJob& job = entry.job;
      if (job.plan_id().empty()) continue;
      if (!IsTerminal(job)) Wrong(absl::StrCat(job.id(), " has not ended"));
      --totals_[absl::StrCat(job.plan_id(), " runs ", WordOf(job))];
      const auto request = catalog_.queue().GetRequest(context, job.id());
      if (!request.ok()) return request.status();
      jobs_[{job.plan_id(), request->due_at_ms()}].push_back(job);
    }
    return absl::OkStatus();
  }

  static absl::string_view WordOf(const BackupJob& job) {
    return job.status() == BackupJob::SUCCEEDED ? "succeeded"
           : job.status() == BackupJob::FAILED  ? "failed"
                                                : "interrupted";
  }

  absl::Status AuditPlan(const Plan& plan) {
    FiringFilter filter;
    filter.plan_id = plan.id();
    const auto firings =
        catalog_.plans().ListFirings(Context::Background(), filter);
    if (!firings.ok()) return firings.status();
    const absl::Time anchor =
        absl::FromUnixSeconds(plan.created_at_ms() / 1000);
    int64_t rows = 0;
    int64_t over = 0;
    absl::Time last = anchor;
    for (const Firing& firing : *firings) {
      absl::Duration rest;
      absl::IDivDuration(firing.due_at - anchor, period_, &rest);
      if (rest != absl::ZeroDuration()) Wrong(firing, "is no due time");
      if (firing.due_at <= last) Wrong(firing, "stands twice, or too early");
      last = firing.due_at;
      ++rows;
      over += firing.outcome == Outcome::kMissed ||
              firing.outcome == Outcome::kSkipped;
      AuditRow(firing);
    }
    absl::Duration rest;
    const int64_t due = absl::IDivDuration(last - anchor, period_, &rest);
    const int64_t counted = over_[plan.id()] - over;
    ledger_.due += due;
    ledger_.counted += counted;
    if (due != rows + counted) {
      Wrong(absl::StrCat(plan.id(), ": ", due, " due times, ", rows, " rows, ",
                         counted, " counted"));
    }
    return absl::OkStatus();
  }

  void AuditRow(const Firing& firing) {
    const std::vector<BackupJob>& jobs =
        jobs_[{firing.plan_id, absl::ToUnixMillis(firing.due_at)}];
    const auto successes =
        std::count_if(jobs.begin(), jobs.end(), [](const BackupJob& job) {
          return job.status() == BackupJob::SUCCEEDED;
        });
    const bool succeeded = firing.outcome == Outcome::kSucceeded;
    if (successes != (succeeded ? 1 : 0)) {
      Wrong(firing, absl::StrCat(successes, " jobs of it succeeded"));
    }
    if (jobs.size() != firing.attempts) {
      std::string words;
      for (const BackupJob& job : jobs) {
        absl::StrAppend(&words, " ", WordOf(job), "/", job.error_code());
      }
      Wrong(firing, absl::StrCat("it has ", jobs.size(), " jobs:", words));
    }
    if (!succeeded && firing.reason.empty()) Wrong(firing, "no reason");
    ledger_.retried += firing.attempts > 1;
    switch (firing.outcome) {
      case Outcome::kSucceeded:
        ++ledger_.succeeded;
        return;
      case Outcome::kFailed:
        ++ledger_.failed;
        if (firing.attempts < kAttempts) Wrong(firing, "given up too early");
        return;
      case Outcome::kSkipped:
        ++ledger_.skipped;
        return;
      case Outcome::kMissed:
        ++ledger_.missed;
        return;
      case Outcome::kOpen:
      case Outcome::kInterrupted:
        return Wrong(firing, "nobody asked for that");
    }
  }

  Catalog& catalog_;
  const absl::Duration period_;
  Ledger ledger_;
  std::map<std::string, int64_t> totals_;
  std::map<std::string, int64_t> over_;  // by plan
  std::map<std::pair<std::string, int64_t>, std::vector<BackupJob>> jobs_;
};

}  // namespace

Ledger Audit(Catalog& catalog, const std::vector<Plan>& plans,
             absl::Duration period) {
  return Auditor(catalog, period).Audit(plans);
}

}  // namespace sluice::service
