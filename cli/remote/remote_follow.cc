// A job of a server's, from its row to its end.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/remote_verbs.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/cli/terminal/progress.h"
#include "sluice/cli/verbs/follow.h"
#include "sluice/cli/verbs/plan_run.h"
#include "sluice/service/http/message/json_body.h"

namespace sluice::cli {
namespace {

// Between two looks at the row.
constexpr absl::Duration kLook = absl::Milliseconds(250);
constexpr absl::Duration kLongestLook = absl::Seconds(5);
// For what is still to be read once the waiting was ended.
constexpr absl::Duration kLastPatience = absl::Seconds(10);

Context AfterTheEnd() {
  return Context::WithTimeout(Context::Background(), Clock::Real(),
                              kLastPatience)
      .first;
}

std::string JobPath(const std::string& id) {
  return absl::StrCat("/jobs/", UrlEscape(id));
}

class JobFollower {
 public:
  JobFollower(Remote& remote, const BackupJob& job, const ReportJob& report)
      : remote_(remote), report_(report), job_(job), meter_(NewMeter()) {}

  Outcome Run() {
    while (true) {
      const absl::StatusOr<BackupJob> row = ReadRow();
      if (!row.ok() && remote_.context().done()) {
        const absl::optional<Outcome> ended = OnEndOfWaiting();
        if (ended.has_value()) return *ended;
        continue;
      }
      if (row.ok()) {
        job_ = *row;
        if (IsTerminal(job_)) return Report();
        OnAnswer();
      } else if (!IsAway(row.status()) || !IsPatient()) {
        return {GoesOn(row.status()), job_};
      }
      Wait(row.ok());
    }
  }

 private:
  std::unique_ptr<ProgressMeter> NewMeter() {
    return std::make_unique<ProgressMeter>(&remote_.console(), Clock::Real(),
                                           "job",
                                           remote_.session.wants_progress());
  }

  // Of that very job: what else a server may say is no end of it.
  absl::StatusOr<BackupJob> ReadRow() {
    SLUICE_ASSIGN_OR_RETURN(
        const ApiAnswer answer,
        remote_.api.Get(remote_.context(), JobPath(job_.id())));
    SLUICE_ASSIGN_OR_RETURN(CatalogJob row, ReadJob(answer.body));
    if (row.job.id() != job_.id()) return AnswerError("it is of another job");
    return std::move(row.job);
  }

  Outcome Report() {
    meter_->Finish();
    if (job_.status() == BackupJob::SUCCEEDED) return report_(job_);
    return {ErrorOfJob(job_), job_};
  }

  static bool IsAway(const absl::Status& status) {
    return status.code() == absl::StatusCode::kUnavailable;
  }

  void OnAnswer() {
    lost_since_ = absl::InfiniteDuration();
    look_ = kLook;
    meter_->Update(job_.stage(), job_.bytes_done(), job_.bytes_estimated());
  }

  bool IsPatient() {
    const absl::Duration now = Clock::Real()->SinceBoot();
    if (lost_since_ == absl::InfiniteDuration()) {
      lost_since_ = now;
      remote_.console().Note(
          absl::StrCat("server ", remote_.api.server().text,
                       " does not answer; the job goes on, trying again"));
    }
    look_ = std::min(2 * look_, kLongestLook);
    return now - lost_since_ < remote_.lost_patience;
  }

  // Until there may be news.
  void Wait(bool has_answered) {
    bool has_ended = false;
    if (has_answered) {
      remote_.api
          .Follow(remote_.context(),
                  absl::StrCat(JobPath(job_.id()), "/events"),
                  remote_.longest_stream,
                  [&](const SseEvent& event) {
                    has_ended = has_ended || ShowEvent(event);
                    return absl::OkStatus();
                  })
          .IgnoreError();  // the row is what counts
    }
    // An end that the row does not show hurries nobody a second time.
    if (!has_ended || std::exchange(has_hurried_, true)) {
      WaitFor(remote_.context(), *Clock::Real(), look_);
    }
  }

  // Whether it tells of the end.
  bool ShowEvent(const SseEvent& event) {
    const absl::StatusOr<AnswerJson> json = http::ParseJsonObject(event.data);
    if (event.type != "job" || !json.ok()) return false;
    const absl::StatusOr<CatalogJob> said = ReadJob(*json);
    if (!said.ok()) return false;
    meter_->Update(said->job.stage(), said->job.bytes_done(),
                   said->job.bytes_estimated());
    return IsTerminal(said->job);
  }

  absl::Status GoesOn(const absl::Status& status) const {
    return WithHint(status, absl::StrCat("the job goes on; `sluice job wait ",
                                         job_.id(), "` waits for it again"));
  }

  // Nothing where a person wants to go on waiting.
  absl::optional<Outcome> OnEndOfWaiting() {
    const absl::Status cause = remote_.context().status();
    meter_->Finish();
    const absl::StatusOr<InterruptAnswer> answer =
        AskAtInterrupt(remote_.console(), remote_.attention);
    if (!answer.ok()) return Outcome(answer.status(), job_);
    if (*answer == InterruptAnswer::kContinue) {
      if (remote_.context().done()) return Outcome(GoesOn(cause), job_);
      meter_ = NewMeter();
      return absl::nullopt;
    }
    if (*answer == InterruptAnswer::kDetach) {
      return Outcome(GoesOn(cause), job_);
    }
    const absl::Status asked =
        remote_.api
            .Change(AfterTheEnd(), "POST",
                    absl::StrCat(JobPath(job_.id()), "/cancel"), nullptr)
            .status();
    if (!asked.ok()) return Outcome(asked, job_);
    remote_.console().Note("asked to end");
    if (!remote_.context().done()) return absl::nullopt;  // sees how it ends
    return Outcome(GoesOn(cause), job_);
  }

  Remote& remote_;
  const ReportJob& report_;
  BackupJob job_;  // as it was last seen
  std::unique_ptr<ProgressMeter> meter_;
  absl::Duration lost_since_ = absl::InfiniteDuration();
  absl::Duration look_ = kLook;
  bool has_hurried_ = false;
};

// Of one that is not the first: that one is the verb's.
void TellFailure(Remote& remote, const Outcome& outcome) {
  if (remote.console().json()) {
    remote.console().ResultJson(ErrorJson(outcome.status, outcome.job));
  }
  remote.console().Error(outcome.status);
}

}  // namespace

Outcome FollowRemoteJob(Remote& remote, const BackupJob& job,
                        const ReportJob& report) {
  return JobFollower(remote, job, report).Run();
}

Outcome ReportRemoteJob(Remote& remote, const BackupJob& job) {
  absl::optional<BackupRecord> record;
  if (!job.record_id().empty()) {
    const absl::StatusOr<ApiAnswer> answer = remote.api.Get(
        AfterTheEnd(), absl::StrCat("/backups/", UrlEscape(job.record_id())));
    if (answer.ok()) {
      const absl::StatusOr<BackupRecord> read = ReadRecord(answer->body);
      if (read.ok() && read->id() == job.record_id()) record = *read;
    }
  }
  std::string repo = job.repo_id();
  const absl::StatusOr<ApiAnswer> answer =
      remote.api.Get(AfterTheEnd(), absl::StrCat("/repos/", UrlEscape(repo)));
  if (answer.ok()) {
    const absl::StatusOr<BackupRepo> read = ReadRepo(answer->body);
    if (read.ok() && !read->name().empty()) repo = read->name();
  }
  return ReportSucceeded(remote.session, job, record, repo);
}

Outcome FollowQueued(Remote& remote, const ApiAnswer& answer,
                     const ReportJob& report) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<QueuedRun> runs,
                          ReadList(answer.body, "jobs", &ReadQueued));
  if (runs.empty()) return AnswerError("no job was made");
  Outcome worst;
  for (const QueuedRun& run : runs) {
    if (remote.command().Has("async")) {
      PrintQueued(remote.console(), run);
      continue;
    }
    const Outcome outcome = FollowRemoteJob(remote, run.job, report);
    if (outcome.status.ok()) {
      if (worst.status.ok() && worst.code == ExitCode::kOk) worst = outcome;
    } else if (worst.status.ok()) {
      worst = outcome;
    } else {
      TellFailure(remote, outcome);
    }
    if (remote.context().done()) break;
  }
  return worst;
}

}  // namespace sluice::cli
