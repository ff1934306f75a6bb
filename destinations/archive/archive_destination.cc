#include "sluice/destinations/archive/archive_destination.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/end_attempt.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/publisher.h"
#include "sluice/destinations/archive/protocol/repo_index.h"
#include "sluice/destinations/archive/protocol/repo_listing.h"
#include "sluice/destinations/archive/read/archive_reader.h"
#include "sluice/destinations/archive/read/index_reader.h"
#include "sluice/destinations/archive/read/load.h"
#include "sluice/executor/run/restore_chain.h"

namespace sluice {
namespace {

absl::Status NotPublished(absl::string_view backup_id) {
  return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                   absl::StrCat("archive ", backup_id, ": not published"));
}

absl::Status MissingManifest(absl::string_view backup_id) {
  return WithHint(
      MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                absl::StrCat("archive ", backup_id,
                             ": manifest.json is missing, its payload is not")),
      "bring manifest.json back from a copy of the repo; `sluice delete` gives "
      "the room free");
}

// What is wrong with one archive, and not with the place.
bool IsOfOneArchive(const absl::Status& status) {
  const std::string code = ErrorCodeOf(status);
  return code == kArchiveDamaged || code == kArchiveUnsupported ||
         code == kDestinationPermissionDenied || code == kDestinationIoError ||
         code == kDestinationPathConflict;
}

struct ListedArchive {
  std::string backup_id;
  absl::optional<ObjectInfo> manifest;
  bool unreadable = false;
};

// archive_not_found: ended, or gone since it was listed.
absl::StatusOr<Manifest> ReadListed(const Context& context, ObjectStore& store,
                                    const RepoIndex& index,
                                    const ListedArchive& archive) {
  const std::string& id = archive.backup_id;
  if (archive.manifest.has_value()) {
    if (absl::optional<Manifest> known = index.Find(*archive.manifest)) {
      if (known->has_tombstone()) return NotPublished(id);
      return *std::move(known);
    }
  }
  absl::StatusOr<Manifest> manifest = LoadManifestUnproven(context, store, id);
  if (ErrorCodeOf(manifest.status()) != kArchiveNotFound ||
      archive.manifest.has_value() || archive.unreadable) {
    return manifest;
  }
  // Its payload may be all that is left of it.
  SLUICE_ASSIGN_OR_RETURN(const bool lost, LostItsManifest(context, store, id));
  return lost ? MissingManifest(id) : manifest.status();
}

absl::Status CheckOptions(const ArchiveOptions& options) {
  if (options.segment_bytes == 0 || options.segment_bytes > kMaxSegmentBytes ||
      options.grace_window <= absl::ZeroDuration() ||
      options.grace_window > kMaxLease) {
    return MakeError(absl::StatusCode::kInvalidArgument,
                     kDestinationConfigInvalid,
                     "segment size or grace window out of range");
  }
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<ArchiveDestination> ArchiveDestination::Create(
    std::shared_ptr<ObjectStore> store, Clock* clock,
    const ArchiveOptions& options) {
  return std::make_shared<ArchiveDestination>(std::move(store), clock, options);
}

ArchiveDestination::ArchiveDestination(std::shared_ptr<ObjectStore> store,
                                       Clock* clock,
                                       const ArchiveOptions& options)
    : store_(std::move(store)), clock_(clock), options_(options) {}

absl::StatusOr<RepoInfo> ArchiveDestination::Repo(const Context& context) {
  return OpenRepo(context, *store_, options_.repo_id, RepoUse::kRead);
}

absl::Status ArchiveDestination::PutBackup(const Context& context,
                                           Manifest& manifest,
                                           PayloadReader& payload,
                                           const PutOptions& options) {
  SLUICE_RETURN_IF_ERROR(CheckOptions(options_));
  SLUICE_RETURN_IF_ERROR(CheckBackupId(manifest.backup_id()));
  SLUICE_RETURN_IF_ERROR(context.status());
  SLUICE_ASSIGN_OR_RETURN(
      const RepoInfo repo,
      OpenRepo(context, *store_, options_.repo_id, RepoUse::kWrite));
  if (repo.encryption_required || !manifest.encryption().algorithm().empty()) {
    return MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported,
                     "the repo wants encrypted archives, which this version "
                     "does not write");
  }
  if (manifest.repo_id().empty()) manifest.set_repo_id(repo.id);
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store_->Describe(context, /*probe=*/false));
  const absl::Status status =
      Publisher(context, *store_, clock_, options_, place, manifest)
          .Run(payload, options);
  return Annotate(status, absl::StrCat("archive ", manifest.backup_id()));
}

absl::StatusOr<Manifest> ArchiveDestination::GetManifest(
    const Context& context, absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_RETURN_IF_ERROR(Repo(context).status());
  return LoadManifest(context, *store_, backup_id);
}

absl::StatusOr<std::unique_ptr<PayloadReader>> ArchiveDestination::GetBackup(
    const Context& context, absl::string_view backup_id) {
  SLUICE_ASSIGN_OR_RETURN(const Manifest manifest,
                          GetManifest(context, backup_id));
  return OpenArchivePayload(context, store_, manifest, options_.read_ahead);
}

absl::StatusOr<std::unique_ptr<PayloadReader>> ArchiveDestination::GetIndex(
    const Context& context, const Manifest& manifest) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(manifest.backup_id()));
  if (manifest.index_size_bytes() == 0)
    return Destination::GetIndex(context, manifest);
  return OpenArchiveIndex(context, store_, manifest);
}

absl::Status ArchiveDestination::ForEachPayloadId(
    const Context& context, absl::string_view backup_id,
    const std::function<absl::Status(absl::string_view)>& callback) {
  SLUICE_ASSIGN_OR_RETURN(const Manifest manifest,
                          GetManifest(context, backup_id));
  return StreamPayloadIds(context, *store_, manifest, callback);
}

absl::StatusOr<std::vector<ArchiveDestination::Entry>>
ArchiveDestination::ListAll(const Context& context) {
  SLUICE_RETURN_IF_ERROR(Repo(context).status());
  // First the names, so that no manifest is read within a listing.
  std::vector<ListedArchive> listed;
  SLUICE_RETURN_IF_ERROR(ForEachFound(
      context, *store_,
      [&](const FoundArchive& found) {
        const bool lost = !found.objects.empty() && !found.writer.has_value();
        if (found.manifest.has_value() || lost || found.unreadable) {
          listed.push_back({found.backup_id, found.manifest, found.unreadable});
        }
        return absl::OkStatus();
      },
      nullptr));
  const RepoIndex index = RepoIndex::Load(context, *store_);
  std::vector<Entry> entries;
  for (const ListedArchive& archive : listed) {
    SLUICE_RETURN_IF_ERROR(context.status());
    absl::StatusOr<Manifest> manifest =
        ReadListed(context, *store_, index, archive);
    if (ErrorCodeOf(manifest.status()) == kArchiveNotFound) continue;
    if (!manifest.ok() && !IsOfOneArchive(manifest.status()))
      return manifest.status();
    entries.push_back({archive.backup_id, std::move(manifest)});
  }
  return entries;
}

absl::StatusOr<std::vector<Manifest>> ArchiveDestination::List(
    const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<Entry> entries, ListAll(context));
  std::vector<Manifest> manifests;
  for (Entry& entry : entries) {
    if (entry.manifest.ok()) {
      manifests.push_back(*std::move(entry.manifest));
    } else if (ErrorCodeOf(entry.manifest.status()) != kArchiveDamaged) {
      return entry.manifest.status();
    }
  }
  // By time, and within one millisecond by id, which is also by time.
  std::sort(manifests.begin(), manifests.end(),
            [](const Manifest& a, const Manifest& b) {
              return a.created_at() != b.created_at()
                         ? a.created_at() < b.created_at()
                         : a.backup_id() < b.backup_id();
            });
  return manifests;
}

absl::Status ArchiveDestination::Stat(const Context& context,
                                      absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_RETURN_IF_ERROR(Repo(context).status());
  return LoadManifestUnproven(context, *store_, backup_id).status();
}

absl::Status ArchiveDestination::Delete(const Context& context,
                                        absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_RETURN_IF_ERROR(
      OpenRepo(context, *store_, options_.repo_id, RepoUse::kWrite).status());
  const absl::StatusOr<NameState> state =
      ReadNameState(context, *store_, backup_id);
  // What cannot be read is there all the same, and can be replaced unread.
  if (!state.ok() && !IsOfOneArchive(state.status())) return state.status();
  const absl::Status deleted = !state.ok() || *state == NameState::kArchive
                                   ? DeletePublished(context, backup_id)
                                   : DeleteUnpublished(context, backup_id);
  return Annotate(deleted, absl::StrCat("delete ", backup_id));
}

absl::Status ArchiveDestination::DeletePublished(const Context& context,
                                                 absl::string_view backup_id) {
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store_->Describe(context, /*probe=*/false));
  const auto put_tombstone = [&](CommitMode mode) {
    return CommitTombstone(context, *store_, backup_id, "deleted",
                           options_.owner, place.now, mode)
        .status;
  };
  absl::Status unlisted = put_tombstone(CommitMode::kReplace);
  const bool no_room = ErrorCodeOf(unlisted) == kDestinationNoSpace;
  if (no_room) {
    // A writer that has just published still looks at its manifest.
    const absl::StatusOr<bool> live =
        HasLiveWriter(context, *store_, backup_id, options_.grace_window);
    if (!live.value_or(true)) {
      unlisted = store_->Delete(context, ObjectName(backup_id, kManifestFile));
    }
  }
  if (!unlisted.ok()) {
    // Whoever deletes it at the same time aborts our tombstone's upload once
    // its own holds the name.
    const absl::StatusOr<NameState> state =
        ReadNameState(context, *store_, backup_id);
    if (!state.ok() || *state != NameState::kTombstone) return unlisted;
  }
  RemovedRemains removed;
  SLUICE_RETURN_IF_ERROR(RemoveRemains(context, *store_, backup_id,
                                       /*keep_writer=*/false, removed));
  // For a request that is still under way. By now there is room; where others
  // took it, the archive is gone all the same.
  if (no_room) put_tombstone(CommitMode::kIfAbsent).IgnoreError();
  return absl::OkStatus();
}

// What an earlier delete left, or what lost its manifest. A tombstone alone, or
// a backup that is being written, is nothing that could be deleted.
absl::Status ArchiveDestination::DeleteUnpublished(
    const Context& context, absl::string_view backup_id) {
  SLUICE_ASSIGN_OR_RETURN(const FoundArchive found,
                          FindArchive(context, *store_, backup_id));
  if (found.objects.empty()) return NotPublished(backup_id);
  SLUICE_ASSIGN_OR_RETURN(
      const bool live,
      HasLiveWriter(context, *store_, backup_id, options_.grace_window));
  if (live && !found.manifest.has_value()) return NotPublished(backup_id);
  SLUICE_ASSIGN_OR_RETURN(
      const EndedAttempt ended,
      EndAttempt(context, *store_, backup_id, "deleted", options_.owner));
  if (ended.published) return DeletePublished(context, backup_id);
  return ended.problem;
}

absl::StatusOr<NameState> ArchiveDestination::StateOf(
    const Context& context, absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  return ReadNameState(context, *store_, backup_id);
}

absl::StatusOr<bool> ArchiveDestination::IsBeingWritten(
    const Context& context, absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  return HasLiveWriter(context, *store_, backup_id, options_.grace_window);
}

absl::StatusOr<EndedAttempt> ArchiveDestination::End(
    const Context& context, absl::string_view backup_id,
    absl::string_view reason, absl::string_view by) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  return EndAttempt(context, *store_, backup_id, reason, by);
}

absl::StatusOr<Manifest> ArchiveDestination::Verify(
    const Context& context, absl::string_view backup_id,
    const VerifyProgress& progress, VerifyFindings* found) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_RETURN_IF_ERROR(Repo(context).status());
  SLUICE_ASSIGN_OR_RETURN(Manifest manifest,
                          VerifyArchive(context, store_, backup_id,
                                        options_.read_ahead, progress, found));
  const absl::Status chain =
      ReadRestoreChain(backup_id, [&](const std::string& id) {
        return id == backup_id ? absl::StatusOr<Manifest>(manifest)
                               : LoadManifest(context, *store_, id);
      }).status();
  // Without what it builds on it is no backup, however whole it is; unless both
  // were deleted meanwhile.
  if (ErrorCodeOf(chain) == kArchiveNotFound) {
    SLUICE_RETURN_IF_ERROR(
        LoadManifestUnproven(context, *store_, backup_id).status());
    return AboutArchive(MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                                  chain.message()),
                        backup_id);
  }
  SLUICE_RETURN_IF_ERROR(chain);
  return manifest;
}

absl::StatusOr<SweepReport> ArchiveDestination::Sweep(
    const Context& context, const SweepOptions& sweep) {
  SLUICE_RETURN_IF_ERROR(CheckOptions(options_));
  SLUICE_RETURN_IF_ERROR(
      OpenRepo(context, *store_, options_.repo_id, RepoUse::kWrite).status());
  return SweepRepo(context, *store_, options_, sweep);
}

absl::Status ArchiveDestination::Validate(const Context& context) {
  SLUICE_RETURN_IF_ERROR(CheckOptions(options_));
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store_->Describe(context, /*probe=*/true));
  const std::string name = absl::StrCat(kProbePrefix, RandomHex128());
  const absl::string_view bytes = "sluice write probe";
  const CommitOutcome stored =
      StoreObject(context, *store_, name, bytes, CommitMode::kIfAbsent);
  absl::Status status = stored.status;
  if (status.ok() && place.conditional_commit) {
    const CommitOutcome again =
        StoreObject(context, *store_, name, "other", CommitMode::kIfAbsent);
    if (again.kind != CommitOutcome::kTaken) {
      status =
          MakeError(absl::StatusCode::kUnimplemented, kDestinationUnsupported,
                    "the place says that it commits only if a name is "
                    "free, and does not");
    }
  }
  if (status.ok()) {
    const absl::StatusOr<bool> equal =
        ObjectEquals(context, *store_, name, bytes);
    status = equal.status();
    if (equal.ok() && !*equal) {
      status = MakeError(absl::StatusCode::kDataLoss, kDestinationIoError,
                         "what was written does not read back");
    }
  }
  const absl::Status deleted = store_->Delete(context, name);
  if (status.ok() && !deleted.ok()) status = deleted;
  return Annotate(status, "validate");
}

absl::Status ArchiveDestination::Close() { return absl::OkStatus(); }

}  // namespace sluice
