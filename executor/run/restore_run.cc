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

RestoreRun::RestoreRun(JobStore* jobs, Clock* clock, RunArguments arguments,
                       std::string backup_id, const RunRestoreOptions& options)
    : JobRun(jobs, clock, std::move(arguments)),
      backup_id_(std::move(backup_id)),
      options_(options),
      side_(std::make_shared<TargetSide>()) {
  side_->target = arguments_.store;
  side_->cause = cause_;
  side_->from_store_id = options_.from_store_id;
}

RestoreResult RestoreRun::Run() {
  RestoreResult without_job;
  BackupJob intended;
  intended.set_kind(BackupJob::RESTORE);
  intended.set_store_id(options_.from_store_id);
  intended.set_backup_id(backup_id_);
  without_job.status =
      CreateJob(std::move(intended), options_.claimed, options_.on_progress);
  if (!without_job.status.ok()) return without_job;
  if (options_.on_job_created) {
    options_.on_job_created(job_);
  }
  return Finish(Restore());
}

absl::Status RestoreRun::Restore() {
  const Context::Registration on_cancel = StopWithContext();
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
  SLUICE_RETURN_IF_ERROR(
      StartThread([side = side_] { side->Run(); }, options_.scheduler));
  return AwaitTarget();
}

absl::StatusOr<std::vector<Manifest>> RestoreRun::ReadChain() {
  return ReadRestoreChain(
      backup_id_,
      [this](const std::string& backup_id) -> absl::StatusOr<Manifest> {
        SLUICE_RETURN_IF_ERROR(cause_->stopped().status());
        return arguments_.destination->GetManifest(cause_->stopped(),
                                                   backup_id);
      });
}

absl::Status RestoreRun::CheckKind() const {
  if (manifest_->store_kind() == arguments_.kind) {
    return absl::OkStatus();
  }
  return Refused(absl::StrCat("archive ", manifest_->backup_id(), " is of a ",
                              manifest_->store_kind(), " store, the target is ",
                              arguments_.kind),
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
    if (clock_->SinceBoot() - cause->at >= options_.abandon_after) {
      abandoned_ = true;
      arguments_.store->OnAbandoned();
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
  FillTerminalRow(side_->warnings.All(), "the target", options_.abandon_after);
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
  WriteTerminalRow();
  if (restored.ok()) {
    progress_->Stage(cause_->stopped(), "done", kPercentDone, /*store=*/false);
  }
  result.job = std::move(job_);
  result.manifest = std::move(manifest_);
  result.source_abandoned = abandoned_;
  result.damaged_backup_id = ArchiveOf(result.status);
  return result;
}

}  // namespace sluice
