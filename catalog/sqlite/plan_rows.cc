#include "sluice/catalog/sqlite/plan_rows.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/sqlite/happenings.h"
#include "sluice/catalog/sqlite/rows.h"

namespace sluice {
namespace {

std::string ToJsonText(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  // These messages hold nothing that JSON cannot.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return json;
}

// A newer Sluice of the same schema may have fields that we do not know.
absl::Status FromJsonText(const std::string& json, absl::string_view what,
                          google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (google::protobuf::util::JsonStringToMessage(json, &message, options)
          .ok()) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kDataLoss, kCatalogUnavailable,
                   absl::StrCat("catalog: the row of ", what,
                                " holds no JSON that this Sluice reads"));
}

Firing::Outcome OutcomeOf(absl::string_view word) {
  using Outcome = Firing::Outcome;
  for (const Outcome outcome :
       {Outcome::kSucceeded, Outcome::kFailed, Outcome::kInterrupted,
        Outcome::kSkipped, Outcome::kMissed}) {
    if (OutcomeWord(outcome) == word) return outcome;
  }
  return Outcome::kOpen;
}

constexpr char kPlanColumns[] =
    "id, name, paused, revision, created_at_ms, updated_at_ms, spec";

absl::StatusOr<Plan> PlanOf(const SqliteStatement& row) {
  Plan plan;
  plan.set_id(row.Text(0));
  plan.set_name(row.Text(1));
  plan.set_paused(row.Integer(2) != 0);
  plan.set_revision(static_cast<uint64_t>(row.Integer(3)));
  plan.set_created_at_ms(row.Integer(4));
  plan.set_updated_at_ms(row.Integer(5));
  SLUICE_RETURN_IF_ERROR(FromJsonText(
      row.Text(6), absl::StrCat("plan ", plan.name()), *plan.mutable_spec()));
  return plan;
}

PlanTarget TargetOf(const SqliteStatement& row) {
  PlanTarget target;
  target.plan_id = row.Text(0);
  target.repo_id = row.Text(1);
  target.store_id = row.Text(2);
  if (row.Integer(3) == 0) {
    target.next_due = absl::FromUnixMillis(row.Integer(4));
  }
  if (row.Integer(5) == 0) {
    target.run_at = absl::FromUnixMillis(row.Integer(6));
  }
  if (row.Integer(7) == 0) {
    target.last_fired = absl::FromUnixMillis(row.Integer(8));
  }
  return target;
}

constexpr char kFiringColumns[] =
    "plan_id, repo_id, due_at_ms, outcome, reason, job_id, attempts, "
    "fired_at_ms, finished_at_ms, record_id, size_bytes, duration_ms";

Firing FiringOf(const SqliteStatement& row) {
  Firing firing;
  firing.plan_id = row.Text(0);
  firing.repo_id = row.Text(1);
  firing.due_at = absl::FromUnixMillis(row.Integer(2));
  firing.outcome = OutcomeOf(row.Text(3));
  firing.reason = row.Text(4);
  firing.job_id = row.Text(5);
  firing.attempts = static_cast<uint32_t>(row.Integer(6));
  firing.fired_at = absl::FromUnixMillis(row.Integer(7));
  firing.finished_at = absl::FromUnixMillis(row.Integer(8));
  firing.record_id = row.Text(9);
  firing.size_bytes = static_cast<uint64_t>(row.Integer(10));
  firing.duration = absl::Milliseconds(row.Integer(11));
  return firing;
}

void BindAll(SqliteStatement& select, const RowQuery& query) {
  for (const std::string& text : query.texts) select.Bind(text);
  for (const int64_t integer : query.integers) select.Bind(integer);
}

// What no two runs at the same time may have in common.
std::string OpenKeyOf(const QueuedRun& run) {
  const std::string kind = std::string(KindWord(run.job.kind()));
  const std::string& of = run.request.plan_id().empty() ? run.request.store()
                                                        : run.request.plan_id();
  // Only backups and what removes archives exclude their like.
  if (run.job.kind() == BackupJob::RESTORE ||
      run.job.kind() == BackupJob::DRILL ||
      run.job.kind() == BackupJob::VERIFY) {
    return absl::StrCat(kind, " ", run.job.id());
  }
  return absl::StrCat(kind, " ", run.job.repo_id(), " ", of);
}

}  // namespace

absl::Status PutPlan(SqliteConnection& connection, const Plan& plan) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare(absl::StrCat(
          "INSERT INTO plans (", kPlanColumns, ") VALUES (?,?,?,?,?,?,?) ",
          "ON CONFLICT (id) DO UPDATE SET name = excluded.name, paused = "
          "excluded.paused, revision = excluded.revision, updated_at_ms = "
          "excluded.updated_at_ms, spec = excluded.spec")));
  return put.Bind(plan.id())
      .Bind(plan.name())
      .Bind(int64_t{plan.paused()})
      .Bind(static_cast<int64_t>(plan.revision()))
      .Bind(int64_t{plan.created_at_ms()})
      .Bind(int64_t{plan.updated_at_ms()})
      .Bind(ToJsonText(plan.spec()))
      .Run();
}

absl::StatusOr<absl::optional<Plan>> ReadPlan(SqliteConnection& connection,
                                              absl::string_view id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(
          absl::StrCat("SELECT ", kPlanColumns, " FROM plans WHERE id = ?")));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(id).Step());
  if (!row) return absl::optional<Plan>();
  SLUICE_ASSIGN_OR_RETURN(Plan plan, PlanOf(select));
  return absl::make_optional(std::move(plan));
}

absl::StatusOr<std::vector<Plan>> ReadPlans(SqliteConnection& connection) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(
          absl::StrCat("SELECT ", kPlanColumns, " FROM plans ORDER BY name")));
  std::vector<Plan> plans;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return plans;
    SLUICE_ASSIGN_OR_RETURN(Plan plan, PlanOf(select));
    plans.push_back(std::move(plan));
  }
}

absl::StatusOr<std::vector<PlanTarget>> ReadTargets(
    SqliteConnection& connection, const RowQuery& query) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(absl::StrCat(
          "SELECT plan_id, repo_id, store_id, next_due_ms IS NULL, "
          "next_due_ms, run_at_ms IS NULL, run_at_ms, last_fired_ms IS NULL, "
          "last_fired_ms FROM plan_targets ",
          query.rest)));
  BindAll(select, query);
  return select.All<PlanTarget>(&TargetOf);
}

absl::Status PutFiring(SqliteConnection& connection, const Firing& firing) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare(absl::StrCat("REPLACE INTO firings (", kFiringColumns,
                                      ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)")));
  return put.Bind(firing.plan_id)
      .Bind(firing.repo_id)
      .Bind(absl::ToUnixMillis(firing.due_at))
      .Bind(OutcomeWord(firing.outcome))
      .Bind(firing.reason)
      .Bind(firing.job_id)
      .Bind(int64_t{firing.attempts})
      .Bind(absl::ToUnixMillis(firing.fired_at))
      .Bind(absl::ToUnixMillis(firing.finished_at))
      .Bind(firing.record_id)
      .Bind(static_cast<int64_t>(firing.size_bytes))
      .Bind(absl::ToInt64Milliseconds(firing.duration))
      .Run();
}

absl::StatusOr<absl::optional<Firing>> ReadFiring(SqliteConnection& connection,
                                                  absl::string_view plan_id,
                                                  absl::string_view repo_id,
                                                  absl::Time due_at) {
  SLUICE_ASSIGN_OR_RETURN(
      std::vector<Firing> found,
      ReadFirings(connection,
                  {"WHERE plan_id = ? AND repo_id = ? AND due_at_ms = ?",
                   {std::string(plan_id), std::string(repo_id)},
                   {absl::ToUnixMillis(due_at)}}));
  if (found.empty()) return absl::optional<Firing>();
  return absl::make_optional(std::move(found[0]));
}

absl::StatusOr<std::vector<Firing>> ReadFirings(SqliteConnection& connection,
                                                const RowQuery& query) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(absl::StrCat("SELECT ", kFiringColumns,
                                      " FROM firings ", query.rest)));
  BindAll(select, query);
  return select.All<Firing>(&FiringOf);
}

absl::Status PutQueuedRun(SqliteConnection& connection, const QueuedRun& run,
                          absl::Time at) {
  SLUICE_RETURN_IF_ERROR(PutJob(connection, run.job));
  const std::string& key = run.request.idempotency_key();
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare("INSERT INTO requests VALUES (?1, ?2, "
                         "nullif(?3, ''), ?4, ?5, ?6)"));
  SLUICE_RETURN_IF_ERROR(put.Bind(run.job.id())
                             .Bind(OpenKeyOf(run))
                             .Bind(key)
                             .Bind(int64_t{run.request.not_before_ms()})
                             .Bind(int64_t{run.request.expires_at_ms()})
                             .Bind(ToJsonText(run.request))
                             .Run());
  return NoteJob(connection, "job.queued", run.job, at);
}

absl::StatusOr<absl::optional<JobRequest>> ReadRequest(
    SqliteConnection& connection, absl::string_view job_id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare("SELECT request FROM requests WHERE job_id = ?"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(job_id).Step());
  if (!row) return absl::optional<JobRequest>();
  JobRequest request;
  SLUICE_RETURN_IF_ERROR(FromJsonText(
      select.Text(0), absl::StrCat("the request of job ", job_id), request));
  return absl::make_optional(std::move(request));
}

absl::StatusOr<std::string> JobOfSameKey(SqliteConnection& connection,
                                         const QueuedRun& run) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(
          "SELECT job_id FROM requests JOIN jobs ON jobs.id = job_id WHERE "
          "open_key = ? AND status IN ('pending', 'running') LIMIT 1"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(OpenKeyOf(run)).Step());
  return row ? select.Text(0) : "";
}

absl::StatusOr<std::string> PurgeOf(SqliteConnection& connection,
                                    const std::string& repo_id,
                                    absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(
          "SELECT jobs.id FROM jobs LEFT JOIN requests ON job_id = jobs.id "
          "WHERE repo_id = ? AND jobs.status NOT IN ('succeeded', 'failed', "
          "'interrupted') AND kind = 'purge' AND (jobs.status = 'running' OR "
          "expires_at_ms = 0 OR expires_at_ms > ?) ORDER BY jobs.status LIMIT "
          "1"));
  SLUICE_ASSIGN_OR_RETURN(
      const bool row,
      select.Bind(repo_id).Bind(absl::ToUnixMillis(now)).Step());
  return row ? select.Text(0) : "";
}

absl::Status PurgeInTheWay(absl::string_view job_id) {
  return WithHint(
      MakeError(
          absl::StatusCode::kFailedPrecondition, kRepoInUse,
          absl::StrCat("job ", job_id, " deletes this repo with its archives")),
      "another repo, or keep this one: `sluice job cancel` ends that job");
}

}  // namespace sluice
