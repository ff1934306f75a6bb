#include "sluice/destinations/archive/sweep.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/fence.h"
#include "sluice/destinations/archive/lease.h"
#include "sluice/destinations/archive/names.h"
#include "sluice/destinations/archive/object_io.h"

namespace sluice {
namespace {

// The objects below one id, as the listing gave them.
struct Found {
  std::string backup_id;
  std::vector<ObjectInfo> objects;  // ours, without manifest and writer
  absl::optional<ObjectInfo> manifest;
  absl::optional<ObjectInfo> writer;
};

class Sweeper {
 public:
  Sweeper(const Context& context, ObjectStore& store,
          const ArchiveOptions& options, absl::Time now)
      : context_(context), store_(store), options_(options), now_(now) {}

  absl::StatusOr<SweepReport> Run() {
    SLUICE_RETURN_IF_ERROR(store_.List(
        context_, "", [&](const ObjectInfo& info) { return Add(info); }));
    SweepCurrent();
    SweepProbes();
    SweepUploads();
    SLUICE_RETURN_IF_ERROR(context_.status());
    return std::move(report_);
  }

 private:
  // Objects come in ascending order, so one id's come together: only they are
  // held.
  absl::Status Add(const ObjectInfo& info) {
    SLUICE_RETURN_IF_ERROR(context_.status());
    if (IsProbeName(info.name) && IsOld(info)) probes_.push_back(info);
    const SplitName name = SplitObjectName(info.name);
    if (name.backup_id.empty()) return absl::OkStatus();
    if (name.backup_id != current_.backup_id) {
      SweepCurrent();
      current_ = Found();
      current_.backup_id = std::string(name.backup_id);
    }
    if (name.file == kManifestFile) {
      current_.manifest = info;
    } else if (name.file == kWriterFile) {
      current_.writer = info;
    } else if (IsArchiveFile(name.file)) {
      current_.objects.push_back(info);
    }
    return absl::OkStatus();
  }

  void SweepCurrent() {
    if (current_.backup_id.empty()) return;
    const absl::Status status = SweepArchive(current_);
    if (!status.ok()) {
      report_.problems.push_back(
          Annotate(status, absl::StrCat("sweep ", current_.backup_id)));
    }
    current_ = Found();
  }

  absl::Status SweepArchive(const Found& found) {
    SLUICE_RETURN_IF_ERROR(context_.status());
    // The common case costs nothing: published, nothing left beside it but what
    // a manifest explains.
    NameState state = NameState::kFree;
    const bool remains = !found.objects.empty() || found.writer.has_value();
    if (found.manifest.has_value()) {
      SLUICE_ASSIGN_OR_RETURN(state,
                              ReadNameState(context_, store_, found.backup_id));
    }
    if (!found.manifest.has_value() && !remains) return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const bool live, HasLiveWriter(found));
    if (live) {
      report_.live.push_back(found.backup_id);
      return absl::OkStatus();
    }
    if (state == NameState::kFree) {
      SLUICE_ASSIGN_OR_RETURN(state, TakeFence(found));
    }
    if (state == NameState::kArchive) {
      return found.writer.has_value() ? Delete(*found.writer)
                                      : absl::OkStatus();
    }
    return DeleteRemains(found, remains);
  }

  absl::StatusOr<bool> HasLiveWriter(const Found& found) {
    if (!found.writer.has_value()) return false;
    const absl::StatusOr<std::string> bytes =
        ReadObject(context_, store_, found.writer->name, kMaxWriterBytes);
    if (absl::IsNotFound(bytes.status())) return false;
    if (!bytes.ok() && ErrorCodeOf(bytes.status()) != kArchiveDamaged)
      return bytes.status();
    // Read again after the bytes: the lease may have been renewed since the
    // listing.
    SLUICE_ASSIGN_OR_RETURN(const ObjectInfo info,
                            store_.Stat(context_, found.writer->name));
    SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                            store_.Describe(context_, /*probe=*/false));
    const absl::StatusOr<WriterRecord> writer =
        bytes.ok() ? ParseWriter(*bytes) : bytes.status();
    const absl::Time expires =
        writer.ok() ? std::min(writer->expires_at, info.modified + kMaxLease)
                    : info.modified + options_.grace_window;
    return place.now < expires;
  }

  // Wins the archive's name for a tombstone; kArchive where it turns out to be
  // published after all.
  absl::StatusOr<NameState> TakeFence(const Found& found) {
    SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                            store_.Describe(context_, /*probe=*/false));
    if (!place.conditional_commit) {
      // Without a conditional commit the name is looked at as late as can be.
      SLUICE_ASSIGN_OR_RETURN(const NameState state,
                              ReadNameState(context_, store_, found.backup_id));
      if (state != NameState::kFree) return state;
    }
    const CommitOutcome outcome = CommitTombstone(
        context_, store_, found.backup_id, "the writer is gone", options_.owner,
        place.now, ObjectWriter::Mode::kIfAbsent);
    if (outcome.kind == CommitOutcome::kTaken)
      return ReadNameState(context_, store_, found.backup_id);
    SLUICE_RETURN_IF_ERROR(outcome.status);
    report_.ended.push_back(found.backup_id);
    return NameState::kTombstone;
  }

  absl::Status DeleteRemains(const Found& found, bool remains) {
    for (const ObjectInfo& object : found.objects) {
      SLUICE_RETURN_IF_ERROR(Delete(object));
    }
    if (found.writer.has_value()) SLUICE_RETURN_IF_ERROR(Delete(*found.writer));
    // A tombstone goes only in a sweep that found nothing else below the id.
    if (remains || !found.manifest.has_value() ||
        now_ - found.manifest->modified < options_.tombstone_age) {
      return absl::OkStatus();
    }
    SLUICE_RETURN_IF_ERROR(Delete(*found.manifest));
    ++report_.tombstones_deleted;
    return absl::OkStatus();
  }

  absl::Status Delete(const ObjectInfo& object) {
    const absl::Status status = store_.Delete(context_, object.name);
    if (absl::IsNotFound(status)) return absl::OkStatus();  // another sweep's
    SLUICE_RETURN_IF_ERROR(status);
    ++report_.objects_deleted;
    report_.bytes_deleted += object.size;
    return absl::OkStatus();
  }

  bool IsOld(const ObjectInfo& info) const {
    return now_ - info.modified > options_.grace_window;
  }

  void SweepProbes() {
    for (const ObjectInfo& probe : probes_) {
      const absl::Status status = Delete(probe);
      if (!status.ok()) report_.problems.push_back(status);
    }
  }

  bool IsOurs(absl::string_view name) const {
    const SplitName split = SplitObjectName(name);
    // "-": a folder that a writer made before it died, for an unknown object.
    return name == kRepoFile || IsProbeName(name) ||
           IsArchiveFile(split.file) || split.file == "-";
  }

  void SweepUploads() {
    std::vector<ObjectInfo> uploads;
    const absl::Status listed = store_.ListUncommitted(
        context_, "", [&](const ObjectInfo& upload) -> absl::Status {
          if (IsOld(upload) && IsOurs(upload.name)) uploads.push_back(upload);
          return context_.status();
        });
    if (!listed.ok()) report_.problems.push_back(listed);
    for (const ObjectInfo& upload : uploads) {
      const absl::Status status = SweepUpload(upload);
      if (!status.ok()) {
        report_.problems.push_back(
            Annotate(status, absl::StrCat("abort upload of ", upload.name)));
      }
    }
  }

  // One segment may take longer than the grace window: an old upload of a live
  // writer stays.
  absl::Status SweepUpload(const ObjectInfo& upload) {
    const SplitName name = SplitObjectName(upload.name);
    if (!name.backup_id.empty()) {
      Found found;
      found.backup_id = std::string(name.backup_id);
      found.writer.emplace();
      found.writer->name = ObjectName(name.backup_id, kWriterFile);
      SLUICE_ASSIGN_OR_RETURN(const bool live, HasLiveWriter(found));
      if (live) return absl::OkStatus();
    }
    const absl::Status status =
        store_.AbortUncommitted(context_, upload.upload);
    if (absl::IsNotFound(status)) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(status);
    ++report_.uploads_aborted;
    return absl::OkStatus();
  }

  const Context& context_;
  ObjectStore& store_;
  const ArchiveOptions& options_;
  const absl::Time now_;
  Found current_;
  std::vector<ObjectInfo> probes_;
  SweepReport report_;
};

}  // namespace

absl::StatusOr<SweepReport> SweepRepo(const Context& context,
                                      ObjectStore& store,
                                      const ArchiveOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store.Describe(context, /*probe=*/false));
  return Sweeper(context, store, options, place.now).Run();
}

}  // namespace sluice
