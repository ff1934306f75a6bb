#include "sluice/catalog/sqlite/sqlite_plans.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/sqlite/happenings.h"
#include "sluice/catalog/sqlite/plan_rows.h"
#include "sluice/catalog/sqlite/rows.h"
#include "sluice/catalog/sqlite/sqlite_settings.h"

namespace sluice {
namespace {

// How far apart two processes' steps are that see the same time come.
constexpr absl::Duration kStepsApart = absl::Seconds(10);

absl::Status CheckPlan(SqliteConnection& connection, const Plan& plan,
                       const std::vector<PlanTarget>& targets) {
  if (plan.id().empty()) return InvalidArgument("the plan id is empty");
  SLUICE_RETURN_IF_ERROR(CheckName("plan", plan.name()));
  std::set<std::string> repos;
  for (const PlanTarget& target : targets) {
    if (!repos.insert(target.repo_id).second) {
      return InvalidArgument(
          absl::StrCat("the plan names repo ", target.repo_id, " twice"));
    }
    SLUICE_ASSIGN_OR_RETURN(const absl::optional<BackupRepo> repo,
                            ReadRepo(connection, target.repo_id));
    if (!repo.has_value()) {
      return MakeError(absl::StatusCode::kNotFound, kRepoNotFound,
                       absl::StrCat("there is no repo ", target.repo_id));
    }
  }
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement same,
      connection.Prepare("SELECT id FROM plans WHERE name = ? AND id <> ?"));
  SLUICE_ASSIGN_OR_RETURN(const bool taken,
                          same.Bind(plan.name()).Bind(plan.id()).Step());
  if (!taken) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAlreadyExists, kNameTaken,
                   absl::StrCat("the catalog holds another plan ", plan.name(),
                                " (", same.Text(0), ")"));
}

absl::StatusOr<std::string> FindPlan(SqliteConnection& connection,
                                     absl::string_view name_or_id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare("SELECT id FROM plans WHERE name = ?"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(name_or_id).Step());
  if (row) return select.Text(0);
  return FindId(connection, "plans", name_or_id);
}

absl::Status DeleteTargets(SqliteConnection& connection,
                           absl::string_view plan_id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement remove,
      connection.Prepare("DELETE FROM plan_targets WHERE plan_id = ?"));
  return remove.Bind(plan_id).Run();
}

// Binds a time, or NULL for one that never comes.
constexpr char kTimeOrNull[] = "nullif(?, 9223372036854775807)";
int64_t MillisOrNever(absl::Time time) {
  return time == absl::InfiniteFuture() ? INT64_MAX : absl::ToUnixMillis(time);
}

absl::Status PutTargets(SqliteConnection& connection, const Plan& plan,
                        const std::vector<PlanTarget>& targets) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<PlanTarget> before,
      ReadTargets(connection, {"WHERE plan_id = ?", {plan.id()}}));
  std::map<std::string, PlanTarget> kept;
  for (const PlanTarget& target : before) kept[target.repo_id] = target;
  SLUICE_RETURN_IF_ERROR(DeleteTargets(connection, plan.id()));
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement insert,
      connection.Prepare(absl::StrCat("INSERT INTO plan_targets VALUES (?, ?, "
                                      "?, ",
                                      kTimeOrNull, ", ", kTimeOrNull, ", ",
                                      kTimeOrNull, ", ?)")));
  int64_t position = 0;
  for (const PlanTarget& target : targets) {
    SLUICE_RETURN_IF_ERROR(
        insert.Bind(plan.id())
            .Bind(target.repo_id)
            .Bind(position++)
            .Bind(MillisOrNever(target.next_due))
            .Bind(MillisOrNever(target.run_at))
            .Bind(MillisOrNever(kept[target.repo_id].last_fired.value_or(
                absl::InfiniteFuture())))
            .Bind(kept[target.repo_id].store_id)
            .Run());
    insert.Reset();
  }
  return absl::OkStatus();
}

absl::Status NotePlan(SqliteConnection& connection, absl::string_view type,
                      absl::string_view plan_id, absl::Time at) {
  SLUICE_RETURN_IF_ERROR(RaiseSettingsRevision(connection));
  CatalogEvent event;
  event.at = at;
  event.type = std::string(type);
  event.plan_id = std::string(plan_id);
  return AppendEvent(connection, event);
}

// A due time that is over without a run.
absl::Status NoteOver(SqliteConnection& connection, const Firing& firing,
                      uint64_t count, absl::Time at) {
  const bool missed = firing.outcome == Firing::Outcome::kMissed;
  CatalogEvent event;
  event.at = at;
  event.type = missed ? "schedule.missed" : "schedule.skipped";
  event.plan_id = firing.plan_id;
  event.repo_id = firing.repo_id;
  event.word = firing.reason;
  SLUICE_RETURN_IF_ERROR(AppendEvent(connection, event));
  CatalogTotal total;
  total.metric = missed ? "missed" : "skipped";
  total.plan_id = firing.plan_id;
  total.repo_id = firing.repo_id;
  total.label = firing.reason;
  total.value = static_cast<int64_t>(count);
  return AddToTotalRow(connection, total);
}

absl::Status RecordOver(SqliteConnection& connection, const FireStep& step) {
  for (const Firing& firing : step.over) {
    SLUICE_ASSIGN_OR_RETURN(
        const absl::optional<Firing> before,
        ReadFiring(connection, firing.plan_id, firing.repo_id, firing.due_at));
    if (before.has_value()) continue;
    SLUICE_RETURN_IF_ERROR(PutFiring(connection, firing));
    SLUICE_RETURN_IF_ERROR(NoteOver(connection, firing, 1, step.now));
  }
  if (step.more_missed == 0) return absl::OkStatus();
  Firing more;
  more.plan_id = step.plan_id;
  more.repo_id = step.repo_id;
  more.outcome =
      step.over.empty() ? Firing::Outcome::kMissed : step.over.front().outcome;
  more.reason = step.more_reason;
  return NoteOver(connection, more, step.more_missed, step.now);
}

// One whose run only waited is as it was before; it may run when it comes.
absl::Status ForgetRun(SqliteConnection& connection, const Firing& firing) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement forget,
      connection.Prepare(
          "UPDATE plan_targets SET last_fired_ms = (SELECT due_at_ms FROM "
          "firings WHERE plan_id = ?1 AND repo_id = ?2 AND due_at_ms < ?3 AND "
          "attempts > 0 ORDER BY due_at_ms DESC LIMIT 1) WHERE plan_id = ?1 "
          "AND repo_id = ?2 AND last_fired_ms = ?3"));
  return forget.Bind(firing.plan_id)
      .Bind(firing.repo_id)
      .Bind(absl::ToUnixMillis(firing.due_at))
      .Run();
}

// Ends a pending job whose due time has not come: a clock ahead has made it, or
// this one is behind. False: it is none.
absl::StatusOr<bool> MakeWay(SqliteConnection& connection,
                             absl::string_view job_id, absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                          ReadJob(connection, job_id));
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<JobRequest> request,
                          ReadRequest(connection, job_id));
  if (!entry.has_value() || !request.has_value() ||
      entry->job.status() != BackupJob::PENDING) {
    return false;
  }
  const absl::Time due = absl::FromUnixMillis(request->due_at_ms());
  if (due <= now + kStepsApart) return false;
  SLUICE_RETURN_IF_ERROR(EndPendingJob(
      connection, entry->job,
      MakeError(absl::StatusCode::kAborted, kClockChanged,
                "it waited for a time that an earlier one came before"),
      now));
  SLUICE_ASSIGN_OR_RETURN(
      absl::optional<Firing> firing,
      ReadFiring(connection, entry->job.plan_id(), entry->job.repo_id(), due));
  if (!firing.has_value() || firing->outcome != Firing::Outcome::kOpen ||
      firing->job_id != job_id) {
    return true;
  }
  firing->outcome = Firing::Outcome::kMissed;
  firing->reason = std::string(kClockChanged);
  firing->attempts = 0;
  firing->finished_at = now;
  SLUICE_RETURN_IF_ERROR(PutFiring(connection, *firing));
  SLUICE_RETURN_IF_ERROR(ForgetRun(connection, *firing));
  SLUICE_RETURN_IF_ERROR(NoteOver(connection, *firing, 1, now));
  return true;
}

// The job that `run` has to give way to; empty: none.
absl::StatusOr<std::string> JobInTheWayOf(SqliteConnection& connection,
                                          const QueuedRun& run,
                                          absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(std::string other, JobOfSameKey(connection, run));
  if (other.empty()) return other;
  SLUICE_ASSIGN_OR_RETURN(const bool gone, MakeWay(connection, other, now));
  return gone ? "" : other;
}

// The firing's run gives way to the job `other`.
absl::Status RecordOverlap(SqliteConnection& connection, Firing firing,
                           const std::string& other, absl::Time now) {
  firing.outcome = Firing::Outcome::kSkipped;
  firing.reason = std::string(kOverlap);
  firing.job_id = other;
  firing.finished_at = now;
  SLUICE_RETURN_IF_ERROR(PutFiring(connection, firing));
  return NoteOver(connection, firing, 1, now);
}

absl::Status RecordRun(SqliteConnection& connection, const FireStep& step,
                       FireResult& result) {
  Firing firing = *step.run;
  SLUICE_ASSIGN_OR_RETURN(
      const absl::optional<Firing> before,
      ReadFiring(connection, firing.plan_id, firing.repo_id, firing.due_at));
  // One that was passed over while the clock was wrong may run.
  const bool passed_over = before.has_value() && before->attempts == 0 &&
                           (before->outcome == Firing::Outcome::kMissed ||
                            before->outcome == Firing::Outcome::kSkipped);
  if (before.has_value() && !passed_over) {
    result.fired_before = true;
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string other,
                          JobInTheWayOf(connection, *step.job, step.now));
  if (!other.empty()) {
    result.overlapped = true;
    firing.attempts = 0;
    return RecordOverlap(connection, firing, other, step.now);
  }
  SLUICE_RETURN_IF_ERROR(PutQueuedRun(connection, *step.job, step.now));
  return PutFiring(connection, firing);
}

// One due time, in the transaction that is on.
absl::Status FireOne(SqliteConnection& connection, const FireStep& step,
                     FireResult& result) {
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement move,
                          connection.Prepare(absl::StrCat(
                              "UPDATE plan_targets SET next_due_ms = ",
                              kTimeOrNull, ", run_at_ms = ", kTimeOrNull,
                              ", last_fired_ms = ifnull(", kTimeOrNull,
                              ", last_fired_ms) WHERE plan_id = ? AND repo_id "
                              "= ? AND next_due_ms = ?")));
  SLUICE_RETURN_IF_ERROR(
      move.Bind(MillisOrNever(step.next_due))
          .Bind(MillisOrNever(step.run_at))
          .Bind(MillisOrNever(step.run.has_value() ? step.run->due_at
                                                   : absl::InfiniteFuture()))
          .Bind(step.plan_id)
          .Bind(step.repo_id)
          .Bind(MillisOrNever(step.expected_next_due))
          .Run());
  if (connection.Changes() == 0) {
    result.moved = true;
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(RecordOver(connection, step));
  if (!step.run.has_value()) return absl::OkStatus();
  return RecordRun(connection, step, result);
}

// A due time that nothing tries any more.
absl::Status NoteFailed(SqliteConnection& connection, const Firing& firing,
                        absl::Time at) {
  CatalogEvent event;
  event.at = at;
  event.type = "schedule.failed";
  event.plan_id = firing.plan_id;
  event.repo_id = firing.repo_id;
  event.job_id = firing.job_id;
  event.word = firing.reason;
  return AppendEvent(connection, event);
}

absl::Status SettleOne(SqliteConnection& connection, const SettleStep& step) {
  const Firing& firing = step.firing;
  SLUICE_ASSIGN_OR_RETURN(
      const absl::optional<Firing> before,
      ReadFiring(connection, firing.plan_id, firing.repo_id, firing.due_at));
  if (!before.has_value() || before->outcome != Firing::Outcome::kOpen ||
      before->job_id != step.ended_job_id) {
    return absl::OkStatus();
  }
  if (step.retry.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string other,
                            JobInTheWayOf(connection, *step.retry, step.now));
    if (!other.empty()) {
      return RecordOverlap(connection, *before, other, step.now);
    }
    SLUICE_RETURN_IF_ERROR(PutQueuedRun(connection, *step.retry, step.now));
  }
  SLUICE_RETURN_IF_ERROR(PutFiring(connection, firing));
  if (firing.outcome == Firing::Outcome::kFailed) {
    return NoteFailed(connection, firing, step.now);
  }
  if (firing.outcome != Firing::Outcome::kMissed) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(ForgetRun(connection, firing));
  return NoteOver(connection, firing, 1, step.now);
}

// The words of a job's end for one that could not even begin.
absl::Status EndPending(SqliteConnection& connection, absl::string_view plan_id,
                        absl::Time now) {
  CatalogFilter filter;
  filter.plan_id = std::string(plan_id);
  filter.status = BackupJob::PENDING;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          ReadJobs(connection, filter));
  for (const CatalogJob& entry : jobs) {
    SLUICE_RETURN_IF_ERROR(
        EndPendingJob(connection, entry.job,
                      MakeError(absl::StatusCode::kCancelled, kPlanRemoved,
                                "its plan was removed"),
                      now));
  }
  // What runs, or has run, says itself what became of its due time.
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement firings,
      connection.Prepare("UPDATE firings SET outcome = 'interrupted', reason = "
                         "?1, finished_at_ms = ?2 WHERE plan_id = ?3 AND "
                         "outcome = 'open' AND job_id IN (SELECT id FROM jobs "
                         "WHERE error_code = ?1)"));
  return firings.Bind(kPlanRemoved)
      .Bind(absl::ToUnixMillis(now))
      .Bind(plan_id)
      .Run();
}

}  // namespace

absl::Status SqlitePlans::AddPlan(const Context& context, const Plan& plan,
                                  const std::vector<PlanTarget>& targets) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_RETURN_IF_ERROR(CheckPlan(connection, plan, targets));
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<Plan> same,
                                ReadPlan(connection, plan.id()));
        if (same.has_value()) {
          return MakeError(absl::StatusCode::kAlreadyExists, kNameTaken,
                           absl::StrCat("the catalog holds another plan ",
                                        same->name(), " (", same->id(), ")"));
        }
        SLUICE_RETURN_IF_ERROR(PutPlan(connection, plan));
        SLUICE_RETURN_IF_ERROR(PutTargets(connection, plan, targets));
        return NotePlan(connection, "plan.created", plan.id(), clock_->Now());
      });
}

absl::Status SqlitePlans::UpdatePlan(const Context& context, const Plan& plan,
                                     const std::vector<PlanTarget>& targets) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_RETURN_IF_ERROR(CheckPlan(connection, plan, targets));
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<Plan> before,
                                ReadPlan(connection, plan.id()));
        if (!before.has_value()) {
          return MakeError(absl::StatusCode::kNotFound, kPlanNotFound,
                           absl::StrCat("there is no plan ", plan.id()));
        }
        if (before->revision() + 1 != plan.revision()) {
          return WithHint(
              MakeError(absl::StatusCode::kAborted, kPlanChanged,
                        absl::StrCat("plan ", plan.name(),
                                     " was changed by somebody else")),
              "read it again, and repeat the change");
        }
        SLUICE_RETURN_IF_ERROR(PutPlan(connection, plan));
        SLUICE_RETURN_IF_ERROR(PutTargets(connection, plan, targets));
        return NotePlan(connection, "plan.changed", plan.id(), clock_->Now());
      });
}

absl::StatusOr<Plan> SqlitePlans::GetPlan(const Context& context,
                                          absl::string_view name_or_id) {
  return database_->Get<Plan>(context, [&](SqliteConnection& connection) {
    return RowOf(connection, FindPlan(connection, name_or_id), &ReadPlan);
  });
}

absl::StatusOr<std::vector<Plan>> SqlitePlans::ListPlans(
    const Context& context) {
  return database_->Get<std::vector<Plan>>(context, &ReadPlans);
}

absl::Status SqlitePlans::RemovePlan(const Context& context,
                                     absl::string_view name_or_id) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindPlan(connection, name_or_id));
        const absl::Time now = clock_->Now();
        SLUICE_RETURN_IF_ERROR(EndPending(connection, id, now));
        SLUICE_RETURN_IF_ERROR(DeleteTargets(connection, id));
        for (const char* sql : {"DELETE FROM totals WHERE plan_id = ?",
                                "DELETE FROM plans WHERE id = ?"}) {
          SLUICE_ASSIGN_OR_RETURN(SqliteStatement remove,
                                  connection.Prepare(sql));
          SLUICE_RETURN_IF_ERROR(remove.Bind(id).Run());
        }
        return NotePlan(connection, "plan.removed", id, now);
      });
}

absl::StatusOr<std::vector<PlanTarget>> SqlitePlans::ListTargets(
    const Context& context, absl::string_view plan_id) {
  return database_->Get<std::vector<PlanTarget>>(
      context, [&](SqliteConnection& connection) {
        if (plan_id.empty()) {
          return ReadTargets(connection, {"ORDER BY plan_id, position"});
        }
        return ReadTargets(connection, {"WHERE plan_id = ? ORDER BY position",
                                        {std::string(plan_id)}});
      });
}

absl::StatusOr<std::vector<PlanTarget>> SqlitePlans::DueTargets(
    const Context& context, absl::Time now, size_t limit) {
  return database_->Get<std::vector<PlanTarget>>(
      context, [&](SqliteConnection& connection) {
        return ReadTargets(
            connection,
            {"WHERE run_at_ms <= ? ORDER BY run_at_ms, plan_id, repo_id LIMIT "
             "?",
             {},
             {absl::ToUnixMillis(now), static_cast<int64_t>(limit)}});
      });
}

absl::StatusOr<absl::Time> SqlitePlans::NextRunAt(const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanTarget> targets,
                          database_->Get<std::vector<PlanTarget>>(
                              context, [&](SqliteConnection& connection) {
                                return ReadTargets(
                                    connection,
                                    {"WHERE run_at_ms IS NOT NULL ORDER BY "
                                     "run_at_ms LIMIT 1"});
                              }));
  return targets.empty() ? absl::InfiniteFuture() : targets[0].run_at;
}

absl::StatusOr<std::vector<FireResult>> SqlitePlans::FireAll(
    const Context& context, absl::Span<const FireStep> steps) {
  std::vector<FireResult> results;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        results.assign(steps.size(), FireResult());
        for (size_t i = 0; i < steps.size(); ++i) {
          SLUICE_RETURN_IF_ERROR(FireOne(connection, steps[i], results[i]));
        }
        return absl::OkStatus();
      }));
  return results;
}

absl::StatusOr<std::vector<std::pair<Firing, BackupJob>>>
SqlitePlans::EndedFirings(const Context& context, size_t limit) {
  std::vector<std::pair<Firing, BackupJob>> ended;
  SLUICE_RETURN_IF_ERROR(database_->Read(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            const std::vector<Firing> firings,
            ReadFirings(connection,
                        {"WHERE outcome = 'open' AND NOT EXISTS (SELECT 1 FROM "
                         "jobs WHERE jobs.id = job_id AND jobs.status IN "
                         "('pending', 'running')) LIMIT ?",
                         {},
                         {static_cast<int64_t>(limit)}}));
        for (const Firing& firing : firings) {
          SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> job,
                                  ReadJob(connection, firing.job_id));
          ended.emplace_back(firing, job.has_value() ? job->job : BackupJob());
        }
        return absl::OkStatus();
      }));
  return ended;
}

absl::Status SqlitePlans::SettleAll(const Context& context,
                                    absl::Span<const SettleStep> steps) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        for (const SettleStep& step : steps) {
          SLUICE_RETURN_IF_ERROR(SettleOne(connection, step));
        }
        return absl::OkStatus();
      });
}

absl::StatusOr<std::vector<Firing>> SqlitePlans::ListFirings(
    const Context& context, const FiringFilter& filter) {
  RowQuery query;
  std::string where = "WHERE due_at_ms >= ? AND due_at_ms < ?";
  for (const auto& [column, value] :
       {std::make_pair("repo_id", filter.repo_id),
        std::make_pair("plan_id", filter.plan_id)}) {
    if (value.empty()) continue;
    where = absl::StrCat("WHERE ", column, " = ? AND ",
                         absl::StripPrefix(where, "WHERE "));
    query.texts.insert(query.texts.begin(), value);
  }
  query.rest = absl::StrCat(where,
                            " ORDER BY due_at_ms DESC, plan_id, repo_id "
                            "LIMIT ?");
  query.integers = {
      filter.from == absl::InfinitePast() ? INT64_MIN
                                          : absl::ToUnixMillis(filter.from),
      MillisOrNever(filter.until),
      filter.limit == 0 ? -1 : static_cast<int64_t>(filter.limit)};
  SLUICE_ASSIGN_OR_RETURN(std::vector<Firing> firings,
                          database_->Get<std::vector<Firing>>(
                              context, [&](SqliteConnection& connection) {
                                return ReadFirings(connection, query);
                              }));
  std::reverse(firings.begin(), firings.end());
  return firings;
}

absl::StatusOr<size_t> SqlitePlans::DeleteFirings(const Context& context,
                                                  absl::Time due_before) {
  return database_->Delete(context,
                           "DELETE FROM firings WHERE due_at_ms < ? AND "
                           "outcome <> 'open'",
                           absl::ToUnixMillis(due_before));
}

}  // namespace sluice
