#include "sluice/destinations/archive/protocol/sweep.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/end_attempt.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/repo_index.h"
#include "sluice/destinations/archive/protocol/repo_listing.h"

namespace sluice {
namespace {

// The index is written anew once it lacks so many, and one in so many.
constexpr size_t kWorthAnIndex = 64;
constexpr size_t kWorthAnIndexOf = 16;

class Sweeper {
 public:
  Sweeper(const Context& context, ObjectStore& store,
          const ArchiveOptions& options, const SweepOptions& sweep)
      : context_(context),
        store_(store),
        options_(options),
        sweep_(sweep),
        index_(RepoIndex::Load(context, store)) {}

  absl::StatusOr<SweepReport> Run() {
    std::vector<ObjectInfo> probes;
    SLUICE_RETURN_IF_ERROR(ForEachFound(
        context_, store_,
        [&](const FoundArchive& found) {
          Note(SweepArchive(found), absl::StrCat("sweep ", found.backup_id));
          return context_.status();
        },
        [&](const ObjectInfo& other) {
          if (IsProbeName(other.name)) probes.push_back(other);
          return absl::OkStatus();
        }));
    StoreIndex();
    for (const ObjectInfo& probe : probes) Note(SweepProbe(probe), "sweep");
    SweepUploads();
    SLUICE_RETURN_IF_ERROR(context_.status());
    return std::move(report_);
  }

 private:
  void Note(const absl::Status& status, absl::string_view what) {
    if (!status.ok()) report_.problems.push_back(Annotate(status, what));
  }

  absl::Status SweepArchive(const FoundArchive& found) {
    if (found.unreadable) {
      return MakeError(absl::StatusCode::kPermissionDenied,
                       kDestinationPermissionDenied,
                       "the archive's folder cannot be read");
    }
    if (!found.manifest.has_value()) return SweepUnpublished(found);
    SLUICE_ASSIGN_OR_RETURN(const NameState state,
                            StateOf(found.backup_id, *found.manifest));
    const bool remains = !found.objects.empty() || found.writer.has_value();
    if (state == NameState::kTombstone) {
      return remains ? FinishEnded(found) : SweepTombstone(*found.manifest);
    }
    if (state != NameState::kArchive || !found.writer.has_value())
      return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const bool live, IsLive(found.backup_id));
    if (live) return absl::OkStatus();
    return Delete(*found.writer);
  }

  // As the index has it, else as the manifest says, which goes into the next
  // index. That a name was ended is never believed: whatever is deleted, is
  // deleted by what the archive itself says.
  absl::StatusOr<NameState> StateOf(const std::string& backup_id,
                                    const ObjectInfo& listed) {
    if (index_.IsTombstone(listed) == false) {
      next_index_.Keep(index_, listed);
      return NameState::kArchive;
    }
    const absl::StatusOr<std::string> bytes =
        ReadObject(context_, store_, listed.name, kMaxManifestBytes);
    if (absl::IsNotFound(bytes.status())) return NameState::kFree;
    if (ErrorCodeOf(bytes.status()) == kArchiveDamaged)
      return NameState::kArchive;
    SLUICE_RETURN_IF_ERROR(bytes.status());
    const absl::StatusOr<Manifest> manifest = ParseManifest(*bytes, backup_id);
    if (!manifest.ok()) return NameState::kArchive;
    next_index_.Add(listed, *manifest);
    ++not_indexed_;
    return manifest->has_tombstone() ? NameState::kTombstone
                                     : NameState::kArchive;
  }

  // Only a hint: where it cannot be written, the next sweep tries again.
  void StoreIndex() {
    if (not_indexed_ < kWorthAnIndex ||
        not_indexed_ < next_index_.size() / kWorthAnIndexOf) {
      return;
    }
    const std::string bytes = next_index_.Encode();
    if (bytes.size() > kMaxIndexBytes) return;
    (void)StoreObject(context_, store_, kIndexObject, bytes,
                      CommitMode::kReplace);
  }

  absl::Status SweepUnpublished(const FoundArchive& found) {
    if (found.objects.empty() && !found.writer.has_value())
      return absl::OkStatus();
    const bool ended = found.writer.has_value() && sweep_.has_ended &&
                       sweep_.has_ended(found.backup_id);
    if (found.writer.has_value() && !ended) {
      SLUICE_ASSIGN_OR_RETURN(const bool live, IsLive(found.backup_id));
      if (live) return absl::OkStatus();
    } else if (!ended && !sweep_.take_lost) {
      return NameLost(found.backup_id);
    }
    SLUICE_ASSIGN_OR_RETURN(const bool spared, IsSpared(found, ended));
    if (spared) {
      report_.spared.push_back(found.backup_id);
      return absl::OkStatus();
    }
    SLUICE_ASSIGN_OR_RETURN(const EndedAttempt attempt,
                            EndAttempt(context_, store_, found.backup_id,
                                       "the writer is gone", options_.owner));
    if (attempt.fence_taken) report_.ended.push_back(found.backup_id);
    Add(attempt.removed);
    return attempt.problem;
  }

  // The listing may have come between a manifest and its writer.json, or while
  // a writer cleared away: the name is looked at once more.
  absl::Status NameLost(const std::string& backup_id) {
    SLUICE_ASSIGN_OR_RETURN(const bool lost,
                            LostItsManifest(context_, store_, backup_id));
    if (lost) report_.lost.push_back(backup_id);
    return absl::OkStatus();
  }

  absl::StatusOr<bool> IsSpared(const FoundArchive& found, bool ended) {
    if (sweep_.is_recorded && sweep_.is_recorded(found.backup_id)) return true;
    if (ended) return false;
    for (const auto* objects : {&found.objects, &found.foreign}) {
      for (const ObjectInfo& object : *objects) {
        SLUICE_ASSIGN_OR_RETURN(const bool old, IsOld(object));
        if (!old) return true;
      }
    }
    return false;
  }

  absl::StatusOr<bool> IsLive(const std::string& backup_id) {
    SLUICE_ASSIGN_OR_RETURN(
        const bool live,
        HasLiveWriter(context_, store_, backup_id, options_.grace_window));
    if (live) report_.live.push_back(backup_id);
    return live;
  }

  absl::Status FinishEnded(const FoundArchive& found) {
    bool live = false;
    if (found.writer.has_value()) {
      SLUICE_ASSIGN_OR_RETURN(live, IsLive(found.backup_id));
    }
    RemovedRemains removed;
    const absl::Status status =
        RemoveRemains(context_, store_, found.backup_id, live, removed);
    Add(removed);
    return status;
  }

  // Goes only in a sweep that found nothing else below the id.
  absl::Status SweepTombstone(const ObjectInfo& tombstone) {
    SLUICE_ASSIGN_OR_RETURN(const absl::Time now, Now());
    if (now - tombstone.modified < options_.tombstone_age)
      return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(Delete(tombstone));
    ++report_.tombstones_deleted;
    return absl::OkStatus();
  }

  absl::Status SweepProbe(const ObjectInfo& probe) {
    SLUICE_ASSIGN_OR_RETURN(const bool old, IsOld(probe));
    return old ? Delete(probe) : absl::OkStatus();
  }

  absl::Status Delete(const ObjectInfo& object) {
    RemovedRemains removed;
    SLUICE_RETURN_IF_ERROR(DeleteObject(context_, store_, object, removed));
    Add(removed);
    return absl::OkStatus();
  }

  void Add(const RemovedRemains& removed) {
    report_.objects_deleted += removed.objects;
    report_.bytes_deleted += removed.bytes;
    report_.uploads_aborted += removed.uploads;
  }

  // Asked for when something's age matters first: it costs a write.
  absl::StatusOr<absl::Time> Now() {
    if (!now_.has_value()) {
      SLUICE_ASSIGN_OR_RETURN(now_, PlaceNow(context_, store_));
    }
    return *now_;
  }

  absl::StatusOr<bool> IsOld(const ObjectInfo& info) {
    SLUICE_ASSIGN_OR_RETURN(const absl::Time now, Now());
    return now - info.modified >= options_.grace_window;
  }

  void SweepUploads() {
    const absl::StatusOr<std::vector<ObjectInfo>> uploads =
        FindUploads(context_, store_, "");
    Note(uploads.status(), "list uploads");
    if (!uploads.ok()) return;
    for (const ObjectInfo& upload : *uploads) {
      Note(SweepUpload(upload), absl::StrCat("abort upload of ", upload.name));
    }
  }

  // One segment may take longer than the grace window: an old upload of a live
  // writer stays.
  absl::Status SweepUpload(const ObjectInfo& upload) {
    SLUICE_ASSIGN_OR_RETURN(const bool old, IsOld(upload));
    const std::string backup_id(SplitObjectName(upload.name).backup_id);
    if (backup_id.empty()) return old ? Abort(upload) : absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const NameState state,
                            ReadNameState(context_, store_, backup_id));
    if (state == NameState::kTombstone) return Abort(upload);
    if (!old) return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(
        const bool live,
        HasLiveWriter(context_, store_, backup_id, options_.grace_window));
    return live ? absl::OkStatus() : Abort(upload);
  }

  absl::Status Abort(const ObjectInfo& upload) {
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
  const SweepOptions& sweep_;
  const RepoIndex index_;
  RepoIndex next_index_;
  size_t not_indexed_ = 0;
  absl::optional<absl::Time> now_;
  SweepReport report_;
};

}  // namespace

absl::StatusOr<SweepReport> SweepRepo(const Context& context,
                                      ObjectStore& store,
                                      const ArchiveOptions& options,
                                      const SweepOptions& sweep) {
  return Sweeper(context, store, options, sweep).Run();
}

}  // namespace sluice
