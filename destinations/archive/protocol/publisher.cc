#include "sluice/destinations/archive/protocol/publisher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/version.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/payload_writer.h"

namespace sluice {
namespace {

// An answer that proves that nothing happened and nothing will.
bool IsDefinite(const absl::Status& status) {
  return absl::IsResourceExhausted(status) ||
         absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status) ||
         absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) ||
         absl::IsFailedPrecondition(status) || absl::IsUnimplemented(status);
}

absl::Status Fenced(absl::string_view what) {
  return MakeError(absl::StatusCode::kAborted, kPublishFenced, what);
}

}  // namespace

Publisher::Publisher(const Context& context, ObjectStore& store, Clock* clock,
                     const ArchiveOptions& options, const PlaceInfo& place,
                     Manifest& manifest)
    : context_(context),
      store_(store),
      clock_(clock),
      options_(options),
      place_(place),
      manifest_(manifest),
      owner_(absl::StrCat(options.owner.substr(0, 200), "/", RandomHex128())) {}

std::string Publisher::Name(absl::string_view file) const {
  return ObjectName(manifest_.backup_id(), file);
}

std::pair<Context, Context::CancelFunction> Publisher::Masked() const {
  return Context::WithTimeout(Context::Background(), clock_,
                              options_.publish_deadline);
}

absl::Status Publisher::Run(PayloadReader& payload, const PutOptions& put) {
  absl::Status status = TakeLease();
  if (status.ok()) status = WriteObjects(payload, put);
  if (status.ok() && put.read_back_payload) status = ReadBackPayload(put);
  if (status.ok()) status = Publish(put);
  if (lease_ != nullptr) lease_->Stop();
  if (!keep_ && !status.ok()) ClearAway();
  return status;
}

absl::Status Publisher::TakeLease() {
  SLUICE_ASSIGN_OR_RETURN(
      lease_, WriterLease::Take(context_, store_, clock_, manifest_.backup_id(),
                                owner_, options_.grace_window));
  // After the lease, so that nobody publishes between this look and the end.
  SLUICE_ASSIGN_OR_RETURN(
      const NameState state,
      ReadNameState(context_, store_, manifest_.backup_id()));
  switch (state) {
    case NameState::kFree:
      return absl::OkStatus();
    case NameState::kTombstone:
      return Fenced("the archive's name was ended by another");
    case NameState::kArchive:
      return MakeError(absl::StatusCode::kAlreadyExists,
                       kDestinationPathConflict,
                       "an archive of this id is published already");
  }
  return absl::OkStatus();
}

absl::Status Publisher::WriteObjects(PayloadReader& payload,
                                     const PutOptions& put) {
  uint64_t segment_bytes = options_.segment_bytes;
  if (place_.max_object_bytes != 0)
    segment_bytes = std::min(segment_bytes, place_.max_object_bytes);
  manifest_.set_segment_bytes(segment_bytes);
  const ArchiveTarget target{context_, store_, manifest_.backup_id(), written_};
  SLUICE_ASSIGN_OR_RETURN(std::vector<Segment> segments,
                          WriteSegments(target, segment_bytes, payload));
  SLUICE_ASSIGN_OR_RETURN(const StoredIds ids,
                          WritePayloadIds(target, payload));
  payload_ids_bytes_ = ids.size;
  manifest_.set_payload_id_count(ids.count);
  manifest_.set_payload_ids_sha256(ids.sha256);
  SLUICE_ASSIGN_OR_RETURN(const StoredIndex index,
                          WriteIndex(target, place_.max_object_bytes, payload));
  manifest_.set_index_size_bytes(index.size);
  manifest_.set_index_sha256(index.sha256);
  if (put.on_publishing) put.on_publishing();
  SLUICE_RETURN_IF_ERROR(FillManifest(payload, std::move(segments)));
  return WriteSums();
}

absl::Status Publisher::FillManifest(const PayloadReader& payload,
                                     std::vector<Segment> segments) {
  const PayloadTrailer& trailer = payload.trailer();
  uint64_t size = 0;
  manifest_.clear_segments();
  for (Segment& segment : segments) {
    size += segment.size_bytes();
    *manifest_.add_segments() = std::move(segment);
  }
  if (size != trailer.size_bytes ||
      manifest_.payload_id_count() != trailer.payload_id_count) {
    return MakeError(absl::StatusCode::kDataLoss, kSourceIncomplete,
                     "the payload's size differs from the count at its end");
  }
  manifest_.set_version(manifest_.index_size_bytes() > 0
                            ? kManifestVersion
                            : kFirstManifestVersion);
  manifest_.set_sha256(PayloadSha256(manifest_));
  manifest_.set_size_bytes(size);
  manifest_.set_plain_size_bytes(size);
  manifest_.set_plain_xxh3(absl::StrFormat("%016x", trailer.xxh3));
  manifest_.set_compression("none");
  manifest_.clear_source_counts();
  manifest_.clear_engine_metadata();
  manifest_.clear_tombstone();
  manifest_.mutable_source_counts()->insert(trailer.counts.begin(),
                                            trailer.counts.end());
  manifest_.mutable_engine_metadata()->insert(trailer.metadata.begin(),
                                              trailer.metadata.end());
  for (const PayloadWarning& warning : trailer.warnings) {
    Warning* added = manifest_.add_warnings();
    added->set_code(warning.code);
    added->set_message(warning.message);
  }
  BoundWarnings(manifest_);
  manifest_.set_writer(absl::StrCat("sluice ", kVersion));
  SLUICE_ASSIGN_OR_RETURN(manifest_bytes_, EncodeManifest(manifest_));
  return absl::OkStatus();
}

absl::Status Publisher::WriteSums() {
  for (const Segment& segment : manifest_.segments()) {
    files_.push_back({segment.name(), segment.sha256()});
  }
  if (manifest_.payload_id_count() > 0) {
    files_.push_back(
        {std::string(kPayloadIdsFile), manifest_.payload_ids_sha256()});
  }
  if (manifest_.index_size_bytes() > 0)
    files_.push_back({std::string(kIndexFile), manifest_.index_sha256()});
  files_.push_back(
      {std::string(kManifestFile), ToHex(Sha256Of(manifest_bytes_))});
  SLUICE_ASSIGN_OR_RETURN(sums_bytes_, EncodeSums(files_));
  const CommitOutcome outcome = StoreObject(context_, store_, Name(kSumsFile),
                                            sums_bytes_, CommitMode::kIfAbsent);
  if (outcome.kind != CommitOutcome::kTaken)
    written_.push_back(Name(kSumsFile));
  return outcome.status;
}

absl::Status Publisher::ReadBackPayload(const PutOptions& put) {
  const absl::Duration began = clock_->SinceBoot();
  uint64_t bytes = 0;
  for (const FileSum& file : files_) {
    if (file.file == kManifestFile) continue;  // is read back once it is there
    SLUICE_RETURN_IF_ERROR(context_.status());
    SLUICE_ASSIGN_OR_RETURN(const ObjectDigest digest,
                            DigestObject(context_, store_, Name(file.file)));
    if (digest.sha256 != file.sha256) {
      return MakeError(absl::StatusCode::kDataLoss, kDestinationIoError,
                       absl::StrCat(file.file, ": read-back mismatch"));
    }
    bytes += digest.size;
  }
  if (put.on_read_back) put.on_read_back(bytes, clock_->SinceBoot() - began);
  return absl::OkStatus();
}

absl::Status Publisher::Publish(const PutOptions& put) {
  const auto [masked, end_mask] = Masked();
  const std::string name = Name(kManifestFile);
  std::unique_ptr<ObjectWriter> writer;
  {
    // A place that hangs here holds no cancel up.
    const Context::Registration on_cancel = context_.OnDone(end_mask);
    SLUICE_ASSIGN_OR_RETURN(writer,
                            store_.Begin(masked, name, manifest_bytes_.size()));
    SLUICE_RETURN_IF_ERROR(writer->Write(manifest_bytes_));
  }
  if (put.before_publish) SLUICE_RETURN_IF_ERROR(put.before_publish());
  SLUICE_RETURN_IF_ERROR(context_.status());
  if (!place_.conditional_commit && !lease_->IsFresh()) {
    return Fenced(
        "the lease was not renewed in time, and the place cannot commit only "
        "if the name is free");
  }
  // The point of no return: cancel and deadline are masked from here on.
  const absl::Status committed = writer->Commit(CommitMode::kIfAbsent);
  // A deadline of its own again: the commit may have used up the first one.
  const auto [settling, end_settling] = Masked();
  SLUICE_RETURN_IF_ERROR(SettleManifest(settling, committed));
  SLUICE_RETURN_IF_ERROR(ReadBack(settling));
  lease_->Stop();
  // Published; a writer.json that stays is taken away by the sweep.
  store_.Delete(settling, Name(kWriterFile)).IgnoreError();
  return absl::OkStatus();
}

absl::Status Publisher::SettleManifest(const Context& masked,
                                       const absl::Status& committed) {
  const std::string name = Name(kManifestFile);
  const CommitOutcome outcome = Settle(committed, [&] {
    return ObjectEquals(masked, store_, name, manifest_bytes_);
  });
  switch (outcome.kind) {
    case CommitOutcome::kStored:
      return absl::OkStatus();
    case CommitOutcome::kTaken:
      return Fenced("the archive's name was taken by another");
    case CommitOutcome::kAbsent:
      if (IsDefinite(outcome.status)) return outcome.status;
      return FenceOff(masked, outcome.status);
    case CommitOutcome::kUnknown:
      break;
  }
  return OutcomeUnknown(outcome.status);
}

absl::Status Publisher::FenceOff(const Context& masked,
                                 const absl::Status& cause) {
  const CommitOutcome fence =
      CommitTombstone(masked, store_, manifest_.backup_id(), "publish failed",
                      owner_, clock_->Now(), CommitMode::kIfAbsent);
  if (fence.kind == CommitOutcome::kTaken) {
    const absl::StatusOr<bool> ours =
        ObjectEquals(masked, store_, Name(kManifestFile), manifest_bytes_);
    if (!ours.ok()) return OutcomeUnknown(cause);
    if (*ours) return absl::OkStatus();  // it landed late, but it landed
  } else if (fence.kind != CommitOutcome::kStored) {
    // The manifest may still appear: what it names has to stay until a sweep
    // has won the name.
    keep_ = true;
  }
  return cause;
}

absl::Status Publisher::ReadBack(const Context& masked) {
  absl::StatusOr<bool> equal =
      ObjectEquals(masked, store_, Name(kManifestFile), manifest_bytes_);
  if (!equal.ok() && !absl::IsNotFound(equal.status()))
    return OutcomeUnknown(equal.status());
  if (!equal.value_or(false)) return LostManifest(masked);
  equal = ObjectEquals(masked, store_, Name(kSumsFile), sums_bytes_);
  if (!equal.ok() && !absl::IsNotFound(equal.status()))
    return OutcomeUnknown(equal.status());
  if (!equal.value_or(false)) return Withdraw(masked, kSumsFile);
  std::vector<std::pair<std::string, uint64_t>> objects;
  for (const Segment& segment : manifest_.segments())
    objects.emplace_back(segment.name(), segment.size_bytes());
  if (manifest_.payload_id_count() > 0)
    objects.emplace_back(kPayloadIdsFile, payload_ids_bytes_);
  if (manifest_.index_size_bytes() > 0)
    objects.emplace_back(kIndexFile, manifest_.index_size_bytes());
  for (const auto& [file, size] : objects) {
    const std::string name = Name(file);
    ObjectInfo info;
    const absl::Status stat = TryThrice([&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(info, store_.Stat(masked, name));
      return absl::OkStatus();
    });
    if (!stat.ok() && !absl::IsNotFound(stat)) return OutcomeUnknown(stat);
    if (!stat.ok() || info.size != size) return Withdraw(masked, file);
  }
  return absl::OkStatus();
}

absl::Status Publisher::LostManifest(const Context& masked) {
  const absl::StatusOr<NameState> state =
      ReadNameState(masked, store_, manifest_.backup_id());
  if (!state.ok()) return OutcomeUnknown(state.status());
  if (*state == NameState::kTombstone)
    return Fenced("the archive was ended by another right after its publish");
  return Withdraw(masked, kManifestFile);
}

absl::Status Publisher::Withdraw(const Context& masked,
                                 absl::string_view file) {
  const std::string what = absl::StrCat(file, ": read-back mismatch");
  // Without a conditional commit a sweep may have been faster; with one, the
  // place itself lost or changed it.
  const absl::Status cause =
      place_.conditional_commit
          ? MakeError(absl::StatusCode::kDataLoss, kDestinationIoError, what)
          : Fenced(what);
  const CommitOutcome withdrawn =
      CommitTombstone(masked, store_, manifest_.backup_id(), "withdrawn",
                      owner_, clock_->Now(), CommitMode::kReplace);
  if (withdrawn.kind != CommitOutcome::kStored) return OutcomeUnknown(cause);
  return cause;
}

absl::Status Publisher::OutcomeUnknown(const absl::Status& cause) {
  keep_ = true;
  return WithHint(
      MakeError(absl::StatusCode::kUnknown, kPublishOutcomeUnknown,
                absl::StrCat("publish: outcome unknown: ", cause.message())),
      "run `sluice reconcile` once the place answers again");
}

void Publisher::ClearAway() {
  // Without the lease nothing here is known to be ours.
  if (lease_ == nullptr) return;
  const auto [masked, end_mask] = Masked();
  // What was never committed first: it may be what fills the disk. Only the
  // holder of the lease writes below this id, so all of it is ours.
  std::vector<std::string> uploads;
  store_
      .ListUncommitted(masked, Name(""),
                       [&](const ObjectInfo& upload) {
                         uploads.push_back(upload.upload);
                         return absl::OkStatus();
                       })
      .IgnoreError();
  for (const std::string& upload : uploads) {
    store_.AbortUncommitted(masked, upload).IgnoreError();
  }
  // writer.json last, and only once the rest is gone: what is left without one
  // looks like an archive that lost its manifest, which no sweep takes away.
  bool all_gone = true;
  for (const std::string& name : written_) {
    const absl::Status gone = store_.Delete(masked, name);
    all_gone = all_gone && (gone.ok() || absl::IsNotFound(gone));
  }
  if (all_gone) store_.Delete(masked, Name(kWriterFile)).IgnoreError();
}

}  // namespace sluice
