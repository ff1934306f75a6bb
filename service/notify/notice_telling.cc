// What is told of what was read: NoticeReader's second half.

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/json/json.h"
#include "sluice/service/notify/notice_reader.h"

namespace sluice::service {
namespace {

// Reminders of what began at about the same time are one.
constexpr absl::Duration kReminderSlack = absl::Hours(1);

// What has one cause, as far as can be seen.
std::string CauseOf(const std::string& repo_id, const TargetNote& note) {
  return note.is_of_repo() ? absl::StrCat("repo ", repo_id)
                           : absl::StrCat("code ", note.error_code);
}

}  // namespace

bool NoticeReader::HasWaited(int64_t since_ms, absl::Time now) const {
  const absl::Time since = absl::FromUnixMillis(since_ms);
  // A clock that was set back keeps nobody waiting.
  return now >= since + options_.group_wait || now < since;
}

bool NoticeReader::IsForReminder(int64_t told_ms, absl::Time now) const {
  const absl::Time told = absl::FromUnixMillis(told_ms);
  return now >= told + options_.remind_every || now < told - absl::Hours(1);
}

absl::Status NoticeReader::TellFailed(const Context& context, Draft& draft) {
  std::map<std::string, std::vector<Target>> fresh;
  std::map<std::string, std::vector<Target>> told;
  std::map<std::string, int64_t> told_at;  // of a cause, when last
  std::set<std::string> is_ready;
  std::set<std::string> is_for_reminder;
  for (const auto& [target, note] : draft.notes) {
    if (!note.fails()) continue;
    const std::string cause = CauseOf(target.second, note);
    if (note.failed_told == 0) {
      fresh[cause].push_back(target);
      if (HasWaited(note.failed_since, draft.now)) is_ready.insert(cause);
      continue;
    }
    told[cause].push_back(target);
    told_at[cause] = std::max(told_at[cause], note.failed_told);
    if (IsForReminder(note.failed_told, draft.now)) {
      is_for_reminder.insert(cause);
    }
  }
  const int64_t now_ms = absl::ToUnixMillis(draft.now);
  for (const auto& [cause, targets] : fresh) {
    if (is_ready.count(cause) == 0) continue;
    // Of a repo that fails one more plan is no news.
    const bool is_known = cause[0] == 'r' && told_at.count(cause) > 0;
    if (!is_known) {
      SLUICE_RETURN_IF_ERROR(Tell(context, "failed", false, targets, draft));
    }
    for (const Target& target : targets) {
      draft.notes[target].failed_told = is_known ? told_at[cause] : now_ms;
    }
  }
  for (const std::string& cause : is_for_reminder) {
    std::vector<Target> targets;
    for (const Target& target : told[cause]) {
      int64_t& at = draft.notes[target].failed_told;
      if (absl::FromUnixMillis(at) + options_.remind_every - kReminderSlack >
              draft.now &&
          cause[0] != 'r') {
        continue;
      }
      at = now_ms;
      targets.push_back(target);
    }
    SLUICE_RETURN_IF_ERROR(Tell(context, "failed", true, targets, draft));
  }
  return absl::OkStatus();
}

absl::Status NoticeReader::TellMissed(const Context& context, Draft& draft) {
  std::vector<Target> targets;
  bool is_ready = false;
  for (const auto& [target, note] : draft.notes) {
    if (note.missed_since == 0) continue;
    targets.push_back(target);
    is_ready = is_ready || HasWaited(note.missed_since, draft.now);
  }
  if (!is_ready) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(Tell(context, "missed", false, targets, draft));
  for (const Target& target : targets) {
    TargetNote& note = draft.notes[target];
    note.missed_since = 0;
    note.missed_told = absl::ToUnixMillis(draft.now);
    note.missed_reason.clear();
  }
  return absl::OkStatus();
}

absl::Status NoticeReader::TellOverdue(const Context& context, Draft& draft) {
  std::vector<Target> fresh;
  std::vector<Target> again;
  for (auto& [target, note] : draft.notes) {
    if (note.overdue_since == 0) continue;
    if (note.overdue_told > 0 && !IsForReminder(note.overdue_told, draft.now)) {
      continue;
    }
    (note.overdue_told == 0 ? fresh : again).push_back(target);
    note.overdue_told = absl::ToUnixMillis(draft.now);
  }
  SLUICE_RETURN_IF_ERROR(Tell(context, "overdue", false, fresh, draft));
  return Tell(context, "overdue", true, again, draft);
}

absl::Status NoticeReader::TellRecovered(const Context& context, Draft& draft) {
  std::set<std::string> still_failing;  // repos
  for (const auto& [target, note] : draft.notes) {
    if (note.fails() && note.is_of_repo()) still_failing.insert(target.second);
  }
  std::map<std::string, std::vector<Target>> groups;  // by repo; "": all else
  for (const auto& [target, note] : draft.notes) {
    if (note.recovered_at == 0) continue;
    if (!note.is_of_repo()) {
      groups[""].push_back(target);
    } else if (still_failing.count(target.second) == 0) {
      groups[target.second].push_back(target);
    }
  }
  for (const auto& [repo, targets] : groups) {
    SLUICE_RETURN_IF_ERROR(Tell(context, "recovered", false, targets, draft));
    for (const Target& target : targets) draft.notes[target].ForgetFailure();
  }
  return absl::OkStatus();
}

// Only where all of the plan is well: a monitor sees one plan, not its repos.
absl::Status NoticeReader::CallHeartbeats(const Context& context,
                                          Draft& draft) {
  for (auto beat = draft.heartbeats.begin(); beat != draft.heartbeats.end();) {
    SLUICE_ASSIGN_OR_RETURN(const absl::optional<Plan> plan,
                            PlanOf(context, beat->first, draft));
    const bool is_well = std::none_of(
        draft.notes.begin(), draft.notes.end(), [&](const auto& entry) {
          return entry.first.first == beat->first && entry.second.fails();
        });
    if (!plan.has_value() || plan->spec().heartbeat_url().empty() || !is_well) {
      beat = draft.heartbeats.erase(beat);
      continue;
    }
    OutboxMessage message;
    message.at = draft.now;
    message.next_attempt = draft.now;
    message.channel = HeartbeatChannel(beat->first);
    message.subject = absl::StrCat(plan->name(), ": heartbeat");
    message.body = Json({{"id", beat->second}, {"type", "heartbeat"}}).dump();
    draft.messages.push_back(std::move(message));
    ++beat;
  }
  return absl::OkStatus();
}

absl::Status NoticeReader::Tell(const Context& context, absl::string_view event,
                                bool reminder,
                                const std::vector<Target>& targets,
                                Draft& draft) {
  if (channels_.empty()) return absl::OkStatus();
  Notice notice;
  notice.event = std::string(event);
  notice.reminder = reminder;
  for (const Target& target : targets) {
    SLUICE_ASSIGN_OR_RETURN(const absl::optional<Plan> plan,
                            PlanOf(context, target.first, draft));
    if (!plan.has_value()) continue;
    const TargetNote& note = draft.notes[target];
    NoticePlan told;
    told.plan = plan->name();
    told.plan_id = target.first;
    told.repo_id = target.second;
    SLUICE_ASSIGN_OR_RETURN(told.repo, RepoName(context, target.second, draft));
    told.since_ms = event == "overdue"  ? note.overdue_since
                    : event == "missed" ? note.missed_since
                                        : note.failed_since;
    if (event == "missed") told.error_code = note.missed_reason;
    if (event == "failed") {
      told.error_code = note.error_code;
      told.job_id = note.job_id;
      // Of those that are named; a row that is gone leaves its code.
      if (notice.plans.size() < kPlansNamed) {
        const auto job = catalog_->GetJob(context, note.job_id);
        if (job.ok()) told.error = job->job.error();
      }
    }
    notice.plans.push_back(std::move(told));
  }
  if (notice.plans.empty()) return absl::OkStatus();
  std::vector<OutboxMessage> messages =
      MessagesFor(notice, channels_, NewUlid(*options_.clock), draft.now);
  for (OutboxMessage& message : messages) {
    draft.messages.push_back(std::move(message));
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::optional<Plan>> NoticeReader::PlanOf(
    const Context& context, const std::string& plan_id, Draft& draft) {
  const auto known = draft.plans.find(plan_id);
  if (known != draft.plans.end()) return known->second;
  absl::StatusOr<Plan> plan = catalog_->plans().GetPlan(context, plan_id);
  if (!plan.ok() && ErrorCodeOf(plan.status()) != kPlanNotFound) {
    return plan.status();
  }
  absl::optional<Plan> found;
  if (plan.ok()) found = *std::move(plan);
  return draft.plans.emplace(plan_id, std::move(found)).first->second;
}

absl::StatusOr<std::string> NoticeReader::RepoName(const Context& context,
                                                   const std::string& repo_id,
                                                   Draft& draft) {
  const auto known = draft.repos.find(repo_id);
  if (known != draft.repos.end()) return known->second;
  const absl::StatusOr<BackupRepo> repo = catalog_->GetRepo(context, repo_id);
  if (!repo.ok() && ErrorCodeOf(repo.status()) != kRepoNotFound) {
    return repo.status();
  }
  return draft.repos.emplace(repo_id, repo.ok() ? repo->name() : repo_id)
      .first->second;
}

}  // namespace sluice::service
