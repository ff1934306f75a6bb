#include "sluice/service/http/api/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {
namespace {

// The newest so many jobs are looked at for attempts that failed by hand.
constexpr size_t kRecentJobs = 1000;

// Of a series, as the format has them: name="value",…
class Labels {
 public:
  Labels() = default;
  Labels(absl::string_view name, absl::string_view value) { Add(name, value); }

  void Add(absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text_, text_.empty() ? "" : ",", name, "=\"");
    for (const char c : value) {
      if (c == '\\' || c == '"' || c == '\n') text_ += '\\';
      text_ += c == '\n' ? 'n' : c;
    }
    text_ += '"';
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A whole number without its point.
void AppendNumber(double value, std::string& text) {
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53
  if (std::floor(value) != value) {
    absl::StrAppend(&text, absl::StrFormat("%.3f", value));
  } else if (std::fabs(value) <= kExact) {
    absl::StrAppend(&text, static_cast<int64_t>(value));
  } else {
    absl::StrAppend(&text, absl::StrFormat("%.0f", value));
  }
}

// Series by the name of their metric, as the format wants them.
class Exposition {
 public:
  void Declare(absl::string_view name, absl::string_view type,
               absl::string_view help) {
    names_.emplace_back(name);
    lines_[names_.back()] = absl::StrCat("# HELP ", name, " ", help,
                                         "\n# TYPE ", name, " ", type, "\n");
  }
  // Of a metric that was declared. `suffix`: of a histogram's parts.
  void Add(absl::string_view name, const Labels& labels, double value,
           absl::string_view suffix = "") {
    std::string& lines = lines_.find(name)->second;
    absl::StrAppend(&lines, name, suffix);
    if (!labels.text().empty()) {
      absl::StrAppend(&lines, "{", labels.text(), "}");
    }
    lines += ' ';
    AppendNumber(value, lines);
    lines += '\n';
  }
  std::string Text() const {
    std::string text;
    for (const std::string& name : names_) text += lines_.at(name);
    return text;
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::string, std::less<>> lines_;
};

double SecondsOf(absl::Time time) {
  return static_cast<double>(absl::ToUnixMillis(time)) / 1000;
}

double SecondsOf(int64_t millis) { return static_cast<double>(millis) / 1000; }

// All that one scrape reads.
struct Seen {
  std::shared_ptr<const KnownPlans::ById> plans;
  std::string only_plan;  // empty: all are shown
  std::map<std::string, std::string> repos;
  std::vector<PlanTarget> targets;
  std::vector<BackupRecord> records;
  std::vector<CatalogJob> recent;
  std::vector<CatalogJob> unfinished;
  std::vector<CatalogTotal> totals;

  // "" is a backup by hand; what a plan left that is there no more is no
  // series.
  bool Knows(const std::string& plan) const {
    return plan.empty() || Find(plan) != nullptr;
  }
  const KnownPlan* Find(const std::string& plan) const {
    if (!only_plan.empty() && plan != only_plan) return nullptr;
    const auto found = plans->find(plan);
    return found == plans->end() ? nullptr : &found->second;
  }
  Labels LabelsOf(const std::string& plan, const std::string& repo) const {
    const KnownPlan* const known = Find(plan);
    const auto place = repos.find(repo);
    Labels labels("plan", known == nullptr ? "" : known->name);
    labels.Add("repo", place == repos.end() ? repo : place->second);
    return labels;
  }
};

absl::StatusOr<Seen> ReadAll(const Context& context, Catalog& catalog,
                             KnownPlans& plans, absl::string_view plan_id) {
  Seen seen;
  SLUICE_ASSIGN_OR_RETURN(seen.plans, plans.Get(context, catalog));
  seen.only_plan = std::string(plan_id);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                          catalog.ListRepos(context));
  const KnownPlan* const only = seen.Find(seen.only_plan);
  for (const BackupRepo& repo : repos) {
    const bool is_shown =
        plan_id.empty() ||
        (only != nullptr && std::find(only->repos.begin(), only->repos.end(),
                                      repo.id()) != only->repos.end());
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
    labels.Add("store", std::get<2>(key));
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
    out.Add("sluice_repo_archives", {"repo", seen.repos.at(id)},
            static_cast<double>(count));
  }
}

void AddTargets(const Seen& seen, Exposition& out, const Moments& succeeded,
                absl::Time now) {
  for (const PlanTarget& target : seen.targets) {
    const KnownPlan* const plan = seen.Find(target.plan_id);
    if (plan == nullptr) continue;
    const Labels labels = seen.LabelsOf(target.plan_id, target.repo_id);
    if (target.next_due != absl::InfiniteFuture()) {
      out.Add("sluice_schedule_next_due_timestamp_seconds", labels,
              SecondsOf(target.next_due));
    }
    absl::optional<absl::Time> last;
    const auto found = succeeded.find({target.plan_id, target.repo_id});
    if (found != succeeded.end()) last = absl::FromUnixMillis(found->second);
    out.Add("sluice_plan_overdue", labels,
            plan->IsOverdueAt(now, last) ? 1 : 0);
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
      labels.Add("outcome", total.label);
      out.Add("sluice_backup_runs_total", labels, value);
    } else if (total.metric == "missed") {
      labels.Add("reason", total.label);
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
      with.Add("le", entry.first);
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
                                        Catalog& catalog, KnownPlans& plans,
                                        const Clock& clock,
                                        absl::string_view version,
                                        absl::string_view plan_id) {
  SLUICE_ASSIGN_OR_RETURN(const Seen seen,
                          ReadAll(context, catalog, plans, plan_id));
  Exposition out;
  Declare(out);
  out.Add("sluice_build_info", {"version", version}, 1);
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
  out.Add("sluice_jobs", {"status", "pending"}, static_cast<double>(pending));
  out.Add("sluice_jobs", {"status", "running"},
          static_cast<double>(seen.unfinished.size()) -
              static_cast<double>(pending));
  return out.Text();
}

}  // namespace sluice::service
