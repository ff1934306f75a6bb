#include "sluice/destinations/archive/archive_destination.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/archive_reader.h"
#include "sluice/destinations/archive/fence.h"
#include "sluice/destinations/archive/index_reader.h"
#include "sluice/destinations/archive/load.h"
#include "sluice/destinations/archive/manifest.h"
#include "sluice/destinations/archive/names.h"
#include "sluice/destinations/archive/object_io.h"
#include "sluice/destinations/archive/publisher.h"
#include "sluice/destinations/archive/sha256.h"

namespace sluice {
namespace {

absl::Status NotPublished(absl::string_view backup_id) {
  return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                   absl::StrCat("archive ", backup_id, ": not published"));
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
  std::vector<std::string> ids;
  SLUICE_RETURN_IF_ERROR(
      store_->List(context, "", [&](const ObjectInfo& info) -> absl::Status {
        const SplitName name = SplitObjectName(info.name);
        if (name.file == kManifestFile) ids.emplace_back(name.backup_id);
        return context.status();
      }));
  std::vector<Entry> entries;
  for (const std::string& id : ids) {
    absl::StatusOr<Manifest> manifest =
        LoadManifestUnproven(context, *store_, id);
    const std::string code = ErrorCodeOf(manifest.status());
    if (code == kArchiveNotFound) continue;  // ended, or gone meanwhile
    if (!manifest.ok() && code != kArchiveDamaged &&
        code != kArchiveUnsupported) {
      return manifest.status();
    }
    entries.push_back({id, std::move(manifest)});
  }
  return entries;
}

absl::StatusOr<std::vector<Manifest>> ArchiveDestination::List(
    const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<Entry> entries, ListAll(context));
  std::vector<Manifest> manifests;
  for (Entry& entry : entries) {
    if (entry.manifest.ok()) manifests.push_back(*std::move(entry.manifest));
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
  SLUICE_ASSIGN_OR_RETURN(const NameState state,
                          ReadNameState(context, *store_, backup_id));
  if (state == NameState::kFree) return NotPublished(backup_id);
  if (state == NameState::kArchive) {
    SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                            store_->Describe(context, /*probe=*/false));
    const CommitOutcome outcome =
        CommitTombstone(context, *store_, backup_id, "deleted", options_.owner,
                        place.now, ObjectWriter::Mode::kReplace);
    SLUICE_RETURN_IF_ERROR(
        Annotate(outcome.status, absl::StrCat("delete ", backup_id)));
  }
  bool found_any = state == NameState::kArchive;
  SLUICE_RETURN_IF_ERROR(DeleteObjects(context, backup_id, found_any));
  // A tombstone alone: there is nothing that could be deleted.
  return found_any ? absl::OkStatus() : NotPublished(backup_id);
}

absl::Status ArchiveDestination::DeleteObjects(const Context& context,
                                               absl::string_view backup_id,
                                               bool& found_any) {
  std::vector<std::string> names;
  SLUICE_RETURN_IF_ERROR(store_->List(
      context, ObjectName(backup_id, ""),
      [&](const ObjectInfo& info) -> absl::Status {
        const absl::string_view file = SplitObjectName(info.name).file;
        if (IsArchiveFile(file) && file != kManifestFile)
          names.push_back(info.name);
        return context.status();
      }));
  for (const std::string& name : names) {
    const absl::Status status = store_->Delete(context, name);
    if (!status.ok() && !absl::IsNotFound(status))
      return Annotate(status, absl::StrCat("delete ", backup_id));
    found_any = true;
  }
  return absl::OkStatus();
}

absl::StatusOr<Manifest> ArchiveDestination::Verify(
    const Context& context, absl::string_view backup_id,
    const VerifyProgress& progress) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_RETURN_IF_ERROR(Repo(context).status());
  return VerifyArchive(context, store_, backup_id, options_.read_ahead,
                       progress);
}

absl::StatusOr<SweepReport> ArchiveDestination::Sweep(const Context& context) {
  SLUICE_RETURN_IF_ERROR(CheckOptions(options_));
  SLUICE_RETURN_IF_ERROR(
      OpenRepo(context, *store_, options_.repo_id, RepoUse::kWrite).status());
  return SweepRepo(context, *store_, options_);
}

absl::Status ArchiveDestination::Validate(const Context& context) {
  SLUICE_RETURN_IF_ERROR(CheckOptions(options_));
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store_->Describe(context, /*probe=*/true));
  const std::string name = absl::StrCat(kProbePrefix, RandomHex128());
  const absl::string_view bytes = "sluice was here";
  const CommitOutcome stored =
      StoreObject(context, *store_, name, bytes, ObjectWriter::Mode::kIfAbsent);
  absl::Status status = stored.status;
  if (status.ok() && place.conditional_commit) {
    const CommitOutcome again = StoreObject(context, *store_, name, "other",
                                            ObjectWriter::Mode::kIfAbsent);
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
