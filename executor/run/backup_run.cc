#include "sluice/executor/run/backup_run.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/printable.h"
#include "sluice/executor/run/final_rows.h"
#include "sluice/executor/run/run_outcome.h"
#include "sluice/executor/stream/payload_stream.h"
#include "sluice/executor/ulid.h"

namespace sluice {
namespace {

// Of the manifest, which holds no control bytes.
std::string OneLine(absl::string_view text) {
  constexpr size_t kMaxBytes = 1024;
  std::string line = Printable(text, kMaxBytes);
  std::replace_if(line.begin(), line.end(), absl::ascii_iscntrl, ' ');
  return line;
}

}  // namespace

using Party = FirstCause::Party;

struct BackupRun::SourceSide {
  std::shared_ptr<Backupable> source;
  std::shared_ptr<FirstCause> cause;
  absl::optional<BackupBase> base;
  std::unique_ptr<PayloadStream> stream;

  void Run() {
    // Also where the source ends its thread by pthread_exit.
    absl::Status status = absl::UnknownError("the source ended its thread");
    const absl::Cleanup tell = [&] { stream->SourceReturned(status); };
    status = CallGuarded("the source", [this] {
      return source->Backup(cause->stopped(),
                            base.has_value() ? &*base : nullptr,
                            stream->sink());
    });
  }
};

BackupRun::BackupRun(JobStore* jobs, Clock* clock, RunArguments arguments,
                     std::string store_id, const RunBackupOptions& options)
    : JobRun(jobs, clock, std::move(arguments)),
      store_id_(std::move(store_id)),
      options_(options) {}

BackupResult BackupRun::Run() {
  BackupResult without_job;
  without_job.status = CreateStream();
  if (without_job.status.ok()) {
    BackupJob intended;
    intended.set_kind(BackupJob::BACKUP);
    intended.set_store_id(store_id_);
    intended.set_backup_id(NewUlid(*clock_));
    if (options_.base != nullptr) {
      intended.set_base_backup_id(options_.base->backup_id());
    }
    without_job.status =
        CreateJob(std::move(intended), options_.claimed, options_.on_progress);
  }
  if (!without_job.status.ok()) return without_job;
  if (options_.on_job_created) {
    options_.on_job_created(job_);
  }
  BeginManifest();
  const absl::Status published = Transfer();
  AwaitSource();
  if (published.ok()) return Succeed();
  const absl::optional<FirstCause::Cause> cause = cause_->cause();
  // An archive that may exist is told before all else: reconcile must look.
  if (!cause.has_value() || ErrorCodeOf(published) == kPublishOutcomeUnknown) {
    return Fail(BackupJob::FAILED, published);
  }
  return Fail(StatusFor(cause->party, cause->status), cause->status);
}

absl::Status BackupRun::CreateStream() {
  PayloadStream::Options stream;
  stream.pipe = options_.pipe;
  stream.ids.scratch_dir = options_.scratch_dir;
  stream.allow_empty = options_.allow_empty;
  stream.on_base = options_.base != nullptr;
  side_ = std::make_shared<SourceSide>();
  side_->source = arguments_.store;
  side_->cause = cause_;
  if (options_.base != nullptr) side_->base = BackupBase{*options_.base, {}};
  SLUICE_ASSIGN_OR_RETURN(side_->stream, PayloadStream::Create(stream, cause_));
  return absl::OkStatus();
}

void BackupRun::BeginManifest() {
  manifest_.set_backup_id(job_.backup_id());
  manifest_.set_created_at(
      FormatTimestamp(absl::FromUnixMillis(job_.started_at_ms())));
  manifest_.set_store_id(store_id_);
  manifest_.set_store_kind(arguments_.kind);
  manifest_.set_catalog_id(jobs_->catalog_id());
  manifest_.set_job_id(job_.id());
  manifest_.set_repo_id(arguments_.repo.id());
  manifest_.set_plan_id(job_.plan_id());
  *manifest_.mutable_encryption() = arguments_.repo.encryption();
  const ArchiveOrigin& origin = options_.origin;
  manifest_.set_host(OneLine(origin.host));
  manifest_.set_source(OneLine(origin.source));
  manifest_.set_label(OneLine(origin.label));
  if (side_->base.has_value()) {
    manifest_.set_base_backup_id(side_->base->manifest.backup_id());
  }
}

// Without them the source decides what it can do; an error of the place that
// stays is met again, and told, when the archive is written.
void BackupRun::OpenBaseIndexes() {
  if (!side_->base.has_value()) return;
  const Context context = cause_->stopped();
  std::vector<RestorePayload> indexes;
  Manifest link = side_->base->manifest;
  while (indexes.size() < kMaxChainLength) {
    auto reader = arguments_.destination->GetIndex(context, link);
    if (!reader.ok()) return;
    const std::string next = link.base_backup_id();
    indexes.push_back({std::move(link), *std::move(reader)});
    if (next.empty()) break;
    absl::StatusOr<Manifest> manifest =
        arguments_.destination->GetManifest(context, next);
    if (!manifest.ok()) return;
    link = *std::move(manifest);
  }
  std::reverse(indexes.begin(), indexes.end());
  side_->base->indexes = std::move(indexes);
}

absl::Status BackupRun::Transfer() {
  // Dropped before the run ends, so a late cancel finds nothing of it.
  const Context::Registration on_cancel = StopWithContext();
  progress_->Stage(cause_->stopped(), "starting", kPercentBegun);
  if (cause_->cause().has_value()) return cause_->cause()->status;

  OpenBaseIndexes();
  PayloadStream& stream = *side_->stream;
  stream.OnBytes([this, &stream](uint64_t bytes) {
    progress_->Bytes(cause_->stopped(), bytes, stream.estimate());
  });
  SLUICE_RETURN_IF_ERROR(
      StartThread([side = side_] { side->Run(); }, options_.pipe.scheduler));
  return Judge(CallGuarded("the destination", [this, &stream] {
    return arguments_.destination->PutBackup(cause_->stopped(), manifest_,
                                             stream.reader(), PublishSteps());
  }));
}

PutOptions BackupRun::PublishSteps() {
  PutOptions steps;
  steps.on_publishing = [this] {
    // A source may find that no increment is possible and stream all.
    const EngineMetadata& metadata = side_->stream->reader().trailer().metadata;
    const auto full = metadata.find(kStreamedFullKey);
    if (full != metadata.end() && full->second == "1") {
      manifest_.clear_base_backup_id();
    }
    progress_->Stage(cause_->stopped(), "publishing", kPercentPublishing);
  };
  steps.before_publish = [this] { return BeforePublish(); };
  steps.read_back_payload = options_.read_back;
  steps.on_read_back = options_.on_read_back;
  return steps;
}

// The lease first, the cancel last: nothing may come between that look and the
// point of no return.
absl::Status BackupRun::BeforePublish() {
  if (options_.before_publish) {
    SLUICE_RETURN_IF_ERROR(options_.before_publish(job_));
  }
  // Someone may have deleted it meanwhile: nothing told them that we need it.
  if (const std::string& base = manifest_.base_backup_id(); !base.empty()) {
    SLUICE_RETURN_IF_ERROR(
        Annotate(arguments_.destination->Stat(cause_->stopped(), base),
                 absl::StrCat("the base ", base)));
  }
  return cause_->BeginCommit();
}

// An OK is success whatever the run's context says by now, but only for a
// payload that was read to its end.
absl::Status BackupRun::Judge(const absl::Status& put) {
  absl::Status status = DestinationError(put);
  if (put.ok()) {
    if (side_->stream->reader_at_end()) return CheckPublished();
    status = MakeError(absl::StatusCode::kInternal, kInternal,
                       "the destination reported success without having read "
                       "the payload to its end");
  }
  // The run may have ended a moment before its callback gets to say so.
  if (arguments_.context.done()) {
    cause_->Set(Party::kRun, arguments_.context.status());
  }
  cause_->Set(Party::kDestination, status);
  return status;
}

absl::Status BackupRun::CheckPublished() const {
  const PayloadTrailer& trailer = side_->stream->reader().trailer();
  if (manifest_.backup_id() == job_.backup_id() &&
      manifest_.plain_size_bytes() == trailer.size_bytes) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("archive ", job_.backup_id(),
                                " was published as ", manifest_.backup_id(),
                                " with ", manifest_.plain_size_bytes(),
                                " bytes of the source's ", trailer.size_bytes));
}

// Counts from the moment that the source was told, not from now: the
// destination's cleaning up may have taken its time.
void BackupRun::AwaitSource() {
  if (thread_ == nullptr) return;
  const absl::optional<FirstCause::Cause> cause = cause_->cause();
  absl::Duration patience = absl::InfiniteDuration();  // it has returned
  if (cause.has_value()) {
    patience =
        std::max(absl::ZeroDuration(),
                 cause->at + options_.abandon_after - clock_->SinceBoot());
  }
  abandoned_ = !thread_->AwaitReturn(clock_, patience);
  if (abandoned_) arguments_.store->OnAbandoned();
  thread_.reset();
}

BackupRecord BackupRun::MakeRecord() const {
  BackupRecord record;
  record.set_id(job_.backup_id());
  record.set_repo_id(job_.repo_id());
  record.set_job_id(job_.id());
  record.set_store_id(job_.store_id());
  record.set_store_kind(job_.store_kind());
  record.set_created_at_ms(job_.started_at_ms());
  record.set_plan_id(job_.plan_id());
  *record.mutable_source_counts() = manifest_.source_counts();
  record.set_finished_at_ms(job_.finished_at_ms());
  record.set_sha256(manifest_.sha256());
  record.set_size_bytes(manifest_.size_bytes());
  record.set_plain_size_bytes(manifest_.plain_size_bytes());
  record.set_base_backup_id(manifest_.base_backup_id());
  record.set_payload_id_count(manifest_.payload_id_count());
  for (const PayloadWarning& warning : side_->stream->warnings()) {
    Warning* added = record.add_warnings();
    added->set_code(warning.code);
    added->set_message(warning.message);
  }
  return record;
}

BackupResult BackupRun::Succeed() {
  progress_->Stage(cause_->stopped(), "recording", kPercentPublishing,
                   /*store=*/false);
  job_.set_finished_at_ms(NowMillis(*clock_));
  BackupRecord record = MakeRecord();
  const absl::Status recorded =
      FinalRows(clock_).Write([&](const Context& context) {
        return jobs_->CreateBackupRecord(context, record);
      });
  if (!recorded.ok()) {
    return Fail(
        BackupJob::FAILED,
        WithHint(MakeError(recorded.code(), kRecordPersistFailed,
                           absl::StrCat("archive published but record persist "
                                        "failed: ",
                                        recorded.message())),
                 "the archive is whole; reconcile adopts it"));
  }
  FillTerminalRow(side_->stream->warnings(), "the source",
                  options_.abandon_after);
  job_.set_status(BackupJob::SUCCEEDED);
  job_.set_record_id(record.id());
  job_.set_stage("done");
  job_.set_progress(kPercentDone);
  WriteTerminalRow();
  progress_->Stage(cause_->stopped(), "done", kPercentDone, /*store=*/false);
  BackupResult result;
  result.record = std::move(record);
  result.manifest = std::move(manifest_);
  result.job = std::move(job_);
  return result;
}

BackupResult BackupRun::Fail(BackupJob::Status ended_as,
                             const absl::Status& status) {
  FillTerminalRow(side_->stream->warnings(), "the source",
                  options_.abandon_after);
  MarkEnded(job_, ended_as, status, *clock_);
  WriteTerminalRow();
  BackupResult result;
  result.status = status;
  result.job = std::move(job_);
  result.source_abandoned = abandoned_;
  return result;
}

}  // namespace sluice
