#include "sluice/service/http/api/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/plan/overdue.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::service {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The newest so many jobs are looked at for attempts that failed by hand.
constexpr size_t kRecentJobs = 1000;

// Series by the name of their metric, as the format wants them.
class Exposition {
 public:
  void Declare(const std::string& name, absl::string_view type,
               absl::string_view help) {
    names_.push_back(name);
    heads_[name] = absl::StrCat("# HELP ", name, " ", help, "\n# TYPE ", name,
                                " ", type, "\n");
  }
  // `suffix`: of a histogram's parts.
  void Add(const std::string& name, const Labels& labels, double value,
           absl::string_view suffix = "") {
    std::string& lines = lines_[name];
    absl::StrAppend(&lines, name, suffix);
    if (!labels.empty()) {
      absl::StrAppend(&lines, "{",
                      absl::StrJoin(labels, ",",
                                    [](std::string* out, const auto& label) {
                                      absl::StrAppend(
                                          out, label.first, "=\"",
                                          absl::StrReplaceAll(label.second,
                                                              {{"\\", "\\\\"},
                                                               {"\"", "\\\""},
                                                               {"\n", "\\n"}}),
                                          "\"");
                                    }),
                      "}");
    }
    const std::string text = std::floor(value) == value
                                 ? absl::StrFormat("%.0f", value)
                                 : absl::StrFormat("%.3f", value);
    absl::StrAppend(&lines, " ", text, "\n");
  }
  std::string Text() const {
    std::string text;
    for (const std::string& name : names_) {
      const auto lines = lines_.find(name);
      absl::StrAppend(&text, heads_.at(name),
                      lines == lines_.end() ? "" : lines->second);
    }
    return text;
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::string> heads_;
  std::map<std::string, std::string> lines_;
};

double SecondsOf(absl::Time time) {
  return static_cast<double>(absl::ToUnixMillis(time)) / 1000;
}

double SecondsOf(int64_t millis) { return static_cast<double>(millis) / 1000; }

// All that one scrape reads.
struct Seen {
  std::map<std::string, Plan> plans;  // by id
  std::map<std::string, std::string> repos;
  std::vector<PlanTarget> targets;
  std::vector<BackupRecord> records;
  std::vector<CatalogJob> recent;
  std::vector<CatalogJob> unfinished;
  std::vector<CatalogTotal> totals;

  // "" is a backup by hand; what a plan left that is there no more is no
  // series.
  bool Knows(const std::string& plan) const {
    return plan.empty() || plans.count(plan) > 0;
  }
  Labels LabelsOf(const std::string& plan, const std::string& repo) const {
    const auto name = plans.find(plan);
    const auto place = repos.find(repo);
    return {{"plan", name == plans.end() ? "" : name->second.name()},
            {"repo", place == repos.end() ? repo : place->second}};
  }
};

absl::StatusOr<Seen> ReadAll(const Context& context, Catalog& catalog,
                             absl::string_view plan_id) {
  Seen seen;
  SLUICE_ASSIGN_OR_RETURN(std::vector<Plan> plans,
                          catalog.plans().ListPlans(context));
  for (Plan& plan : plans) {
    if (!plan_id.empty() && plan.id() != plan_id) continue;
    const std::string id = plan.id();
    seen.plans[id] = std::move(plan);
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                          catalog.ListRepos(context));
  for (const BackupRepo& repo : repos) {
    const bool is_shown =
        plan_id.empty() ||
        std::any_of(
            seen.plans.begin(), seen.plans.end(), [&](const auto& plan) {
              const auto& written = plan.second.spec().repos();
              return std::find(written.begin(), written.end(), repo.id()) !=
                     written.end();
            });
    if (is_shown) seen.repos[repo.id()] = repo.name();
  }
  SLUICE_ASSIGN_OR_RETURN(seen.targets,
                          catalog.plans().ListTargets(context, plan_id));
  CatalogFilter filter;
  filter.plan_id = std::string(plan_id);
  SLUICE_ASSIGN_OR_RETURN(seen.records, catalog.ListRecords(context, filter));
  filter.unfinished_only = true;
  SLUICE_ASSIGN_OR_RETURN(seen.unfinished, catalog.ListJobs(context, filter));
  filter.unfinished_only = false;
  filter.kind = BackupJob::BACKUP;
  filter.limit = kRecentJobs;
  SLUICE_ASSIGN_OR_RETURN(seen.recent, catalog.ListJobs(context, filter));
  SLUICE_ASSIGN_OR_RETURN(seen.totals, catalog.events().Totals(context));
  const auto is_hidden = [&](const std::string& plan) {
    return !seen.Knows(plan) || (!plan_id.empty() && plan != plan_id);
  };
  seen.totals.erase(std::remove_if(seen.totals.begin(), seen.totals.end(),
                                   [&](const auto& total) {
                                     return is_hidden(total.plan_id);
                                   }),
                    seen.totals.end());
  return seen;
}

// By plan and repo.
using Moments = std::map<std::pair<std::string, std::string>, int64_t>;

void Raise(Moments& moments, const std::string& plan, const std::string& repo,
           int64_t millis) {
  int64_t& newest = moments[{plan, repo}];
  newest = std::max(newest, millis);
}

void AddRecords(const Seen& seen, Exposition& out, Moments& succeeded,
                Moments& begun) {
  std::map<std::tuple<std::string, std::string, std::string>,
           const BackupRecord*>
      newest;
  std::map<std::tuple<std::string, std::string, std::string>,
           std::pair<int64_t, int64_t>>
      proven;
  std::map<std::string, int64_t> archives;
  for (const auto& [id, name] : seen.repos) archives[id] = 0;
  for (const BackupRecord& record : seen.records) {
    ++archives[record.repo_id()];
    if (!seen.Knows(record.plan_id())) continue;
    const auto key =
        std::make_tuple(record.plan_id(), record.repo_id(), record.store_id());
    // Oldest first.
    newest[key] = &record;
    auto& [verified, restored] = proven[key];
    verified = std::max(verified, record.verified_at_ms());
    restored = std::max(restored, record.restored_at_ms());
    Raise(succeeded, record.plan_id(), record.repo_id(),
          record.finished_at_ms());
    Raise(begun, record.plan_id(), record.repo_id(), record.created_at_ms());
  }
  for (const auto& [key, record] : newest) {
    Labels labels = seen.LabelsOf(std::get<0>(key), std::get<1>(key));
    labels.emplace_back("store", std::get<2>(key));
    out.Add("sluice_backup_last_success_timestamp_seconds", labels,
            SecondsOf(record->finished_at_ms()));
    out.Add("sluice_backup_size_bytes", labels,
            static_cast<double>(record->size_bytes()));
    const auto& [verified, restored] = proven[key];
    if (verified > 0) {
      out.Add("sluice_last_verified_timestamp_seconds", labels,
              SecondsOf(verified));
    }
    if (restored > 0) {
      out.Add("sluice_last_proven_restore_timestamp_seconds", labels,
              SecondsOf(restored));
    }
  }
  for (const auto& [id, count] : archives) {
    if (seen.repos.count(id) == 0) continue;
    out.Add("sluice_repo_archives", {{"repo", seen.repos.at(id)}},
            static_cast<double>(count));
  }
}

void AddTargets(const Seen& seen, Exposition& out, const Moments& succeeded,
                absl::Time now) {
  for (const PlanTarget& target : seen.targets) {
    const auto plan = seen.plans.find(target.plan_id);
    if (plan == seen.plans.end()) continue;
    const Labels labels = seen.LabelsOf(target.plan_id, target.repo_id);
    if (target.next_due != absl::InfiniteFuture()) {
      out.Add("sluice_schedule_next_due_timestamp_seconds", labels,
              SecondsOf(target.next_due));
    }
    const absl::StatusOr<PlanRules> rules = RulesOf(plan->second);
    absl::optional<absl::Time> last;
    const auto found = succeeded.find({target.plan_id, target.repo_id});
    if (found != succeeded.end()) last = absl::FromUnixMillis(found->second);
    // One that cannot be read does not run either.
    const bool overdue =
        !rules.ok() || IsOverdue(plan->second, *rules, last, now);
    out.Add("sluice_plan_overdue", labels, overdue ? 1 : 0);
  }
}

void AddAttempts(const Seen& seen, Exposition& out, Moments attempts) {
  for (const CatalogJob& entry : seen.recent) {
    const BackupJob& job = entry.job;
    if (job.started_at_ms() == 0 || !seen.Knows(job.plan_id())) continue;
    Raise(attempts, job.plan_id(), job.repo_id(), job.started_at_ms());
  }
  for (const PlanTarget& target : seen.targets) {
    if (!target.last_fired.has_value()) continue;
    Raise(attempts, target.plan_id, target.repo_id,
          absl::ToUnixMillis(*target.last_fired));
  }
  for (const auto& [key, millis] : attempts) {
    out.Add("sluice_backup_last_attempt_timestamp_seconds",
            seen.LabelsOf(key.first, key.second), SecondsOf(millis));
  }
}

void AddTotals(const Seen& seen, Exposition& out) {
  // A histogram's buckets ascend, and all of its parts stand together.
  std::map<std::pair<std::string, std::string>,
           std::map<double, std::pair<std::string, int64_t>>>
      buckets;
  Moments sums;
  for (const CatalogTotal& total : seen.totals) {
    Labels labels = seen.LabelsOf(total.plan_id, total.repo_id);
    const auto value = static_cast<double>(total.value);
    if (total.metric == "runs") {
      labels.emplace_back("outcome", total.label);
      out.Add("sluice_backup_runs_total", labels, value);
    } else if (total.metric == "missed") {
      labels.emplace_back("reason", total.label);
      out.Add("sluice_schedule_missed_total", labels, value);
    } else if (total.metric == "removed") {
      out.Add("sluice_retention_removed_total", labels, value);
    } else if (total.metric == "run_milliseconds") {
      sums[{total.plan_id, total.repo_id}] = total.value;
    } else if (total.metric == "run_seconds") {
      const double bound = total.label == "+Inf"
                               ? HUGE_VAL
                               : std::strtod(total.label.c_str(), nullptr);
      buckets[{total.plan_id, total.repo_id}][bound] = {total.label,
                                                        total.value};
    }
  }
  constexpr char kDuration[] = "sluice_backup_duration_seconds";
  for (const auto& [key, bounds] : buckets) {
    const Labels labels = seen.LabelsOf(key.first, key.second);
    for (const auto& [bound, entry] : bounds) {
      Labels with = labels;
      with.emplace_back("le", entry.first);
      out.Add(kDuration, with, static_cast<double>(entry.second), "_bucket");
    }
    out.Add(kDuration, labels, SecondsOf(sums[key]), "_sum");
    out.Add(kDuration, labels,
            static_cast<double>(bounds.rbegin()->second.second), "_count");
  }
}

void Declare(Exposition& out) {
  out.Declare("sluice_build_info", "gauge", "1, labelled with the version.");
  out.Declare("sluice_backup_last_success_timestamp_seconds", "gauge",
              "When the newest backup that is there was finished.");
  out.Declare("sluice_backup_last_attempt_timestamp_seconds", "gauge",
              "When a backup was last begun, however it ended.");
  out.Declare("sluice_plan_overdue", "gauge",
              "1 while a due time is over without a success since.");
  out.Declare("sluice_backup_runs_total", "counter",
              "Backup runs that ended, by outcome.");
  out.Declare("sluice_backup_duration_seconds", "histogram",
              "How long backup runs took.");
  out.Declare("sluice_backup_size_bytes", "gauge",
              "Stored bytes of the newest backup.");
  out.Declare("sluice_schedule_next_due_timestamp_seconds", "gauge",
              "The next due time.");
  out.Declare("sluice_schedule_missed_total", "counter",
              "Due times without a run, by reason.");
  out.Declare("sluice_retention_removed_total", "counter",
              "Archives that retention removed.");
  out.Declare("sluice_jobs", "gauge", "Jobs that are not over, by status.");
  out.Declare("sluice_repo_archives", "gauge", "Archives with a record.");
  out.Declare("sluice_last_verified_timestamp_seconds", "gauge",
              "When a backup was last verified.");
  out.Declare("sluice_last_proven_restore_timestamp_seconds", "gauge",
              "When a backup was last proven by a restore.");
}

}  // namespace

absl::StatusOr<std::string> MetricsText(const Context& context,
                                        Catalog& catalog, const Clock& clock,
                                        absl::string_view version,
                                        absl::string_view plan_id) {
  SLUICE_ASSIGN_OR_RETURN(const Seen seen, ReadAll(context, catalog, plan_id));
  Exposition out;
  Declare(out);
  out.Add("sluice_build_info", {{"version", std::string(version)}}, 1);
  Moments succeeded;
  Moments begun;
  AddRecords(seen, out, succeeded, begun);
  AddTargets(seen, out, succeeded, clock.Now());
  AddAttempts(seen, out, std::move(begun));
  AddTotals(seen, out);
  int64_t pending = 0;
  for (const CatalogJob& entry : seen.unfinished) {
    if (entry.job.status() == BackupJob::PENDING) ++pending;
  }
  out.Add("sluice_jobs", {{"status", "pending"}}, static_cast<double>(pending));
  out.Add("sluice_jobs", {{"status", "running"}},
          static_cast<double>(seen.unfinished.size()) -
              static_cast<double>(pending));
  return out.Text();
}

}  // namespace sluice::service
