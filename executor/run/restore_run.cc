#include "sluice/executor/run/restore_run.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/run/final_rows.h"
#include "sluice/executor/run/restore_chain.h"
#include "sluice/executor/run/restore_reader.h"
#include "sluice/executor/run/run_outcome.h"
#include "sluice/executor/stream/warning_list.h"
#include "sluice/executor/ulid.h"

namespace sluice {

using Party = FirstCause::Party;

namespace {

// How often the waiting caller looks at the progress and the clock.
constexpr absl::Duration kLookEvery = absl::Milliseconds(100);

absl::Status Refused(absl::string_view message, absl::string_view hint) {
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kRestorePreconditionFailed, message),
                  hint);
}

// The guard against restoring one store into another.
absl::Status CheckTarget(const StoreInfo& target, const Manifest& manifest,
                         const std::string& from_store_id) {
  if (!target.empty) {
    return Refused("the target is not empty", "restore into an empty store");
  }
  const bool typed = !from_store_id.empty();
  const std::string& expected = typed ? from_store_id : target.store_id;
  if (expected.empty() || expected == manifest.store_id()) {
    return absl::OkStatus();
  }
  return Refused(
      absl::StrCat("archive ", manifest.backup_id(), " is of store ",
                   manifest.store_id(), ", ",
                   typed ? "not of " : "but the target is store ", expected),
      "to restore another store's archive, name that store (--from-store)");
}

}  // namespace

struct RestoreRun::TargetSide {
  std::shared_ptr<Backupable> target;
  std::shared_ptr<FirstCause> cause;
  std::string from_store_id;
  std::string store_id;
  std::vector<RestorePayload> chain;
  std::vector<const RestoreReader*> readers;  // of the chain
  WarningList warnings;
  std::shared_ptr<std::atomic<uint64_t>> bytes_done =
      std::make_shared<std::atomic<uint64_t>>(0);
  absl::Status result;  // once the thread has returned

  void Run() {
    // Also where the target ends its thread by pthread_exit.
    result = absl::UnknownError("the target ended its thread");
    const absl::Cleanup tell = [this] {
      if (result.ok()) return;
      result = WithDefaultErrorCode(result, kSourceFailed);
      cause->Set(Party::kSource, result);
    };
    result = CallGuarded("the target", [this] { return Fill(); });
  }

  absl::Status Fill() {
    SLUICE_ASSIGN_OR_RETURN(const StoreInfo info,
                            target->Describe(cause->stopped()));
    SLUICE_RETURN_IF_ERROR(
        CheckTarget(info, chain.back().manifest, from_store_id));
    SLUICE_RETURN_IF_ERROR(target->Restore(cause->stopped(), store_id,
                                           absl::MakeSpan(chain), warnings));
    // What a target claims is worth nothing before it has heard of the last
    // byte that all were right.
    for (size_t i = 0; i < readers.size(); ++i) {
      if (readers[i]->at_end()) continue;
      return MakeError(
          absl::StatusCode::kDataLoss, kSourceIncomplete,
          absl::StrCat("the target reported success without "
                       "having read archive ",
                       chain[i].manifest.backup_id(), " to its end"));
    }
    return absl::OkStatus();
  }
};

RestoreRun::RestoreRun(JobStore* jobs, Clock* clock, Arguments arguments)
    : jobs_(jobs),
      clock_(clock),
      arguments_(std::move(arguments)),
      cause_(std::make_shared<FirstCause>(clock)),
      side_(std::make_shared<TargetSide>()) {
  side_->target = arguments_.target;
  side_->cause = cause_;
  side_->from_store_id = arguments_.options.from_store_id;
}

RestoreResult RestoreRun::Run() {
  RestoreResult nothing;  // was written yet
  nothing.status = CreateJob();
  if (!nothing.status.ok()) return nothing;
  if (arguments_.options.on_job_created) {
    arguments_.options.on_job_created(job_);
  }
  return Finish(Restore());
}

absl::Status RestoreRun::CreateJob() {
  const int64_t now = NowMillis(*clock_);
  job_.set_id(NewUlid(*clock_));
  job_.set_kind(BackupJob::RESTORE);
  job_.set_status(BackupJob::RUNNING);
  job_.set_repo_id(arguments_.repo.id());
  job_.set_store_id(arguments_.options.from_store_id);
  job_.set_store_kind(arguments_.target_kind);
  job_.set_backup_id(arguments_.backup_id);
  job_.set_created_at_ms(now);
  job_.set_started_at_ms(now);
  job_.set_stage("starting");
  SLUICE_RETURN_IF_ERROR(
      Annotate(jobs_->CreateBackupJob(arguments_.context, job_), "create job"));
  progress_.emplace(jobs_, clock_, job_.id(), arguments_.options.on_progress);
  return absl::OkStatus();
}

absl::Status RestoreRun::Restore() {
  const Context::Registration on_cancel =
      arguments_.context.OnDone([cause = cause_](const absl::Status& status) {
        cause->Set(Party::kRun, status);
      });
  absl::StatusOr<std::vector<Manifest>> chain = ReadChain();
  if (!chain.ok()) {
    cause_->Set(Party::kDestination, DestinationError(chain.status()));
    return chain.status();
  }
  manifest_ = chain->back();
  job_.set_store_id(manifest_->store_id());
  if (absl::Status refused = CheckKind(); !refused.ok()) {
    cause_->Set(Party::kSource, refused);
    return refused;
  }
  FillChain(*std::move(chain));
  progress_->Stage(cause_->stopped(), "starting", kPercentBegun);
  absl::StatusOr<std::unique_ptr<GuardedThread>> thread = GuardedThread::Start(
      [side = side_] { side->Run(); }, arguments_.options.scheduler);
  if (!thread.ok()) {
    cause_->Set(Party::kSource, thread.status());
    return thread.status();
  }
  thread_ = *std::move(thread);
  return AwaitTarget();
}

absl::StatusOr<std::vector<Manifest>> RestoreRun::ReadChain() {
  return ReadRestoreChain(
      arguments_.backup_id,
      [this](const std::string& backup_id) -> absl::StatusOr<Manifest> {
        SLUICE_RETURN_IF_ERROR(cause_->stopped().status());
        return arguments_.destination->GetManifest(cause_->stopped(),
                                                   backup_id);
      });
}

absl::Status RestoreRun::CheckKind() const {
  if (manifest_->store_kind() == arguments_.target_kind) {
    return absl::OkStatus();
  }
  return Refused(absl::StrCat("archive ", manifest_->backup_id(), " is of a ",
                              manifest_->store_kind(), " store, the target is ",
                              arguments_.target_kind),
                 "choose a target of the archive's kind");
}

void RestoreRun::FillChain(std::vector<Manifest> chain) {
  side_->store_id = manifest_->store_id();
  for (Manifest& manifest : chain) {
    bytes_total_ += manifest.plain_size_bytes();
    auto reader = std::make_unique<RestoreReader>(
        arguments_.destination, manifest, cause_, side_->bytes_done);
    side_->readers.push_back(reader.get());
    side_->chain.push_back({std::move(manifest), std::move(reader)});
  }
}

// Only the end of the run makes the caller leave: a target that discards what
// it staged, after an error of the place, may take its time.
absl::Status RestoreRun::AwaitTarget() {
  while (!thread_->AwaitReturn(clock_, kLookEvery)) {
    const uint64_t bytes = side_->bytes_done->load(std::memory_order_relaxed);
    if (bytes > 0) progress_->Bytes(cause_->stopped(), bytes, bytes_total_);
    const absl::optional<FirstCause::Cause> cause = cause_->cause();
    if (!cause.has_value() || !arguments_.context.done()) continue;
    if (clock_->SinceBoot() - cause->at >= arguments_.options.abandon_after) {
      target_abandoned_ = true;
      arguments_.target->OnAbandoned();
      thread_.reset();
      return cause->status;
    }
  }
  thread_.reset();
  const uint64_t bytes = side_->bytes_done->load(std::memory_order_relaxed);
  progress_->Bytes(cause_->stopped(), bytes, bytes_total_);
  return side_->result;
}

RestoreResult RestoreRun::Finish(const absl::Status& restored) {
  RestoreResult result;
  progress_->CopyTo(job_);
  if (restored.ok()) {
    job_.set_status(BackupJob::SUCCEEDED);
    job_.set_stage("done");
    job_.set_progress(kPercentDone);
    job_.set_finished_at_ms(NowMillis(*clock_));
  } else {
    const FirstCause::Cause cause = *cause_->cause();
    result.status = cause.status;
    MarkEnded(job_, StatusFor(cause.party, cause.status), cause.status,
              *clock_);
  }
  for (const PayloadWarning& warning : side_->warnings.All()) {
    AddWarning(job_, warning.code, warning.message);
  }
  if (const absl::Status status = progress_->store_failure(); !status.ok()) {
    AddWarning(job_, "progress_not_stored", status.message());
  }
  if (target_abandoned_) {
    AddWarning(
        job_, kSourceUnresponsive,
        absl::StrCat("the target had not returned ",
                     absl::FormatDuration(arguments_.options.abandon_after),
                     " after the run was over; its thread was left behind"));
  }
  WriteTerminalRow();
  if (restored.ok()) {
    progress_->Stage(cause_->stopped(), "done", kPercentDone, /*store=*/false);
  }
  result.job = std::move(job_);
  result.manifest = std::move(manifest_);
  result.source_abandoned = target_abandoned_;
  result.damaged_backup_id = ArchiveOf(result.status);
  return result;
}

void RestoreRun::WriteTerminalRow() {
  const absl::Status status =
      FinalRows(clock_).Write([&](const Context& context) {
        return jobs_->UpdateBackupJob(context, job_);
      });
  if (!status.ok()) {
    AddWarning(
        job_, "job_not_stored",
        absl::StrCat("the job's last row was not stored: ", status.message()));
  }
}

}  // namespace sluice
