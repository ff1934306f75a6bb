#include "sluice/service/notify/notice_reader.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/hooks/hooks.h"
#include "sluice/service/plan/overdue.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::service {
namespace {

constexpr size_t kBatch = 500;
// So many events without meaning are read again where the process ends.
constexpr int64_t kMostPassed = 5000;
// A success that was long ago is no sign of life.
constexpr absl::Duration kFreshSuccess = absl::Hours(1);

constexpr absl::string_view kHeartbeat = "heartbeat:";

// Ends that nobody has to be told of: a person wanted them, or the same is
// being done by another run.
bool IsNoFailure(const BackupJob& job) {
  static constexpr absl::string_view kWords[] = {
      kCancelled, kOverlap, kPlanRemoved, kClockChanged, kShutdown};
  return job.status() == BackupJob::SUCCEEDED ||
         job.kind() != BackupJob::BACKUP ||
         std::find(std::begin(kWords), std::end(kWords), job.error_code()) !=
             std::end(kWords);
}

std::string KeyOf(const std::pair<std::string, std::string>& target) {
  return absl::StrCat(target.first, " ", target.second);
}

}  // namespace

std::string HeartbeatChannel(absl::string_view plan_id) {
  return absl::StrCat(kHeartbeat, plan_id);
}

std::string PlanOfHeartbeat(absl::string_view channel) {
  return absl::ConsumePrefix(&channel, kHeartbeat) ? std::string(channel) : "";
}

NoticeReader::NoticeReader(Catalog* catalog,
                           std::vector<NotifyChannel> channels,
                           NoticeOptions options)
    : catalog_(catalog), channels_(std::move(channels)), options_(options) {}

absl::StatusOr<bool> NoticeReader::Step(const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(const OutboxReading reading,
                          catalog_->outbox().Reading(context));
  if (!reading.begun) {
    SLUICE_RETURN_IF_ERROR(BeginIfNew(context));
    return true;
  }
  if (reading.step != seen_step_) passed_ = reading.event_id;
  seen_step_ = reading.step;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogEvent> events,
                          catalog_->events().Read(context, passed_, kBatch));
  SLUICE_ASSIGN_OR_RETURN(Draft draft, DraftNow(context));
  for (const CatalogEvent& event : events) {
    SLUICE_RETURN_IF_ERROR(Apply(context, event, draft));
  }
  const bool look = options_.clock->SinceBoot() >= look_at_;
  if (look) SLUICE_RETURN_IF_ERROR(LookAtTargets(context, draft));
  SLUICE_RETURN_IF_ERROR(TellFailed(context, draft));
  SLUICE_RETURN_IF_ERROR(TellMissed(context, draft));
  SLUICE_RETURN_IF_ERROR(TellOverdue(context, draft));
  SLUICE_RETURN_IF_ERROR(TellRecovered(context, draft));
  SLUICE_RETURN_IF_ERROR(CallHeartbeats(context, draft));
  const int64_t last = events.empty() ? passed_ : events.back().id;
  SLUICE_ASSIGN_OR_RETURN(const bool stored,
                          Store(context, reading, last, draft));
  // Where somebody was faster all is read anew.
  if (!stored) return true;
  if (look) {
    look_at_ = options_.clock->SinceBoot() + options_.overdue_every;
  }
  return events.size() == kBatch;
}

absl::Status NoticeReader::BeginIfNew(const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(const OutboxReading reading,
                          catalog_->outbox().Reading(context));
  if (reading.begun) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const EventLog::Range range,
                          catalog_->events().Bounds(context));
  OutboxStep step;
  step.expected = reading;
  step.event_id = range.last;
  return catalog_->outbox().Advance(context, step).status();
}

absl::StatusOr<NoticeReader::Draft> NoticeReader::DraftNow(
    const Context& context) {
  Draft draft;
  draft.now = options_.clock->Now();
  SLUICE_ASSIGN_OR_RETURN(draft.before, catalog_->outbox().Notes(context));
  for (const auto& [key, text] : draft.before) {
    const std::pair<std::string, std::string> target =
        absl::StrSplit(key, absl::MaxSplits(' ', 1));
    draft.notes[target] = DecodeNote(text);
  }
  return draft;
}

absl::StatusOr<bool> NoticeReader::Store(const Context& context,
                                         const OutboxReading& reading,
                                         int64_t event_id, const Draft& draft) {
  OutboxStep step;
  step.expected = reading;
  step.event_id = event_id;
  step.messages = draft.messages;
  for (const auto& [target, note] : draft.notes) {
    const std::string key = KeyOf(target);
    const auto before = draft.before.find(key);
    if (note.empty()) {
      if (before != draft.before.end()) {
        step.notes.emplace_back(key, absl::nullopt);
      }
      continue;
    }
    std::string text = EncodeNote(note);
    if (before != draft.before.end() && before->second == text) continue;
    step.notes.emplace_back(key, std::move(text));
  }
  for (const auto& [plan_id, job_id] : draft.heartbeats) {
    step.replaced.push_back(HeartbeatChannel(plan_id));
  }
  const bool says_nothing = step.messages.empty() && step.notes.empty();
  if (says_nothing && event_id - reading.event_id < kMostPassed) {
    passed_ = event_id;
    return true;
  }
  SLUICE_ASSIGN_OR_RETURN(const bool moved,
                          catalog_->outbox().Advance(context, step));
  if (moved) {
    seen_step_ = reading.step + 1;
    passed_ = event_id;
  }
  return moved;
}

// --- what happened

absl::Status NoticeReader::Apply(const Context& context,
                                 const CatalogEvent& event, Draft& draft) {
  if (event.plan_id.empty()) return absl::OkStatus();
  if (event.type == "job.finished") return ApplyJob(context, event, draft);
  if (event.type == "schedule.failed") {
    Fail(event, event.word, draft);
  } else if (event.type == "hook.failed") {
    Fail(event, std::string(kHookFailed), draft);
  } else if (event.type == "schedule.missed") {
    Miss(event, draft);
  } else if (event.type == "plan.removed") {
    for (auto& [target, note] : draft.notes) {
      if (target.first == event.plan_id) note = TargetNote();
    }
  }
  return absl::OkStatus();
}

// Attempts at a due time are told of once none is left (schedule.failed).
absl::Status NoticeReader::ApplyJob(const Context& context,
                                    const CatalogEvent& event, Draft& draft) {
  if (event.word == "succeeded") {
    // Of what is no backup there is no record.
    if (event.record_id.empty()) return absl::OkStatus();
    Succeed(event, draft);
    if (draft.now - event.at <= kFreshSuccess) {
      draft.heartbeats[event.plan_id] = event.job_id;
    }
    return absl::OkStatus();
  }
  const auto request = catalog_->queue().GetRequest(context, event.job_id);
  if (request.ok() && request->due_at_ms() > 0) return absl::OkStatus();
  const auto job = catalog_->GetJob(context, event.job_id);
  // A row that is gone by now is too old to be told of.
  if (ErrorCodeOf(job.status()) == kJobNotFound) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(job.status());
  if (IsNoFailure(job->job)) return absl::OkStatus();
  Fail(event, job->job.error_code(), draft);
  return absl::OkStatus();
}

void NoticeReader::Fail(const CatalogEvent& event, const std::string& code,
                        Draft& draft) {
  TargetNote& note = draft.notes[{event.plan_id, event.repo_id}];
  // The success that came before it was none.
  draft.heartbeats.erase(event.plan_id);
  if (note.failed_since == 0) note.failed_since = absl::ToUnixMillis(event.at);
  note.recovered_at = 0;
  note.hook_in_doubt = false;
  note.error_code = code;
  note.job_id = event.job_id;
}

void NoticeReader::Succeed(const CatalogEvent& event, Draft& draft) {
  const Target target = {event.plan_id, event.repo_id};
  succeeded_[target] = event.at;
  const auto found = draft.notes.find(target);
  if (found == draft.notes.end()) return;
  TargetNote& note = found->second;
  // That the hook after it fails again is told of after its end.
  if (note.fails() && note.error_code == kHookFailed && !note.hook_in_doubt) {
    note.hook_in_doubt = true;
    return;
  }
  const bool was_told = note.failed_told > 0 || note.overdue_told > 0;
  if (was_told) {
    note.recovered_at = absl::ToUnixMillis(event.at);
  } else {
    note.ForgetFailure();
  }
  note.overdue_since = 0;
  note.overdue_told = 0;
}

void NoticeReader::Miss(const CatalogEvent& event, Draft& draft) {
  // A later time runs in its place.
  if (event.word == "missed_superseded") return;
  TargetNote& note = draft.notes[{event.plan_id, event.repo_id}];
  if (note.missed_told > 0 && !IsForReminder(note.missed_told, draft.now)) {
    return;
  }
  note.missed_told = 0;
  note.missed_since = absl::ToUnixMillis(event.at);
  note.missed_reason = event.word;
}

// --- what nothing happened to

absl::Status NoticeReader::LookAtTargets(const Context& context, Draft& draft) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Plan> plans,
                          catalog_->plans().ListPlans(context));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanTarget> targets,
                          catalog_->plans().ListTargets(context, ""));
  std::map<std::string, const Plan*> by_id;
  for (const Plan& plan : plans) by_id[plan.id()] = &plan;
  std::map<Target, absl::Time> succeeded;
  std::map<Target, TargetNote> notes;
  for (const PlanTarget& target : targets) {
    const Target key = {target.plan_id, target.repo_id};
    const auto plan = by_id.find(target.plan_id);
    // Of a paused plan nobody expects anything.
    if (plan == by_id.end() || plan->second->paused()) continue;
    if (const auto known = succeeded_.find(key); known != succeeded_.end()) {
      succeeded.insert(*known);
    }
    if (const auto note = draft.notes.find(key); note != draft.notes.end()) {
      notes[key] = note->second;
    }
    if (channels_.empty()) continue;
    SLUICE_ASSIGN_OR_RETURN(const bool is_late,
                            IsLate(context, *plan->second, target, draft.now));
    if (const auto found = succeeded_.find(key); found != succeeded_.end()) {
      succeeded.insert(*found);
    }
    if (is_late) {
      TargetNote& note = notes[key];
      if (note.overdue_since == 0 && note.recovered_at == 0) {
        note.overdue_since = absl::ToUnixMillis(draft.now);
      }
    } else if (const auto note = notes.find(key); note != notes.end()) {
      note->second.overdue_since = 0;
      note->second.overdue_told = 0;
    }
  }
  succeeded_ = std::move(succeeded);
  // What is no target any more, and what was told long ago, is forgotten.
  for (auto& [key, note] : draft.notes) {
    const auto kept = notes.find(key);
    note = kept == notes.end() ? TargetNote() : kept->second;
    if (note.missed_since == 0 && IsForReminder(note.missed_told, draft.now)) {
      note.missed_told = 0;
    }
  }
  draft.notes.insert(notes.begin(), notes.end());
  return absl::OkStatus();
}

absl::StatusOr<bool> NoticeReader::IsLate(const Context& context,
                                          const Plan& plan,
                                          const PlanTarget& target,
                                          absl::Time now) {
  const absl::StatusOr<PlanRules> rules = RulesOf(plan);
  if (!rules.ok()) return true;  // it does not run either
  absl::Time& known =
      succeeded_
          .try_emplace({target.plan_id, target.repo_id}, absl::InfinitePast())
          .first->second;
  const auto last = [&] {
    return known == absl::InfinitePast() ? absl::optional<absl::Time>() : known;
  };
  if (!IsOverdue(plan, *rules, last(), now)) return false;
  CatalogFilter filter;
  filter.plan_id = target.plan_id;
  filter.repo_id = target.repo_id;
  filter.limit = 1;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          catalog_->ListRecords(context, filter));
  if (records.empty()) return true;
  known = absl::FromUnixMillis(records.back().finished_at_ms());
  return IsOverdue(plan, *rules, last(), now);
}

}  // namespace sluice::service
