#include "sluice/plugins/badger/restore/restore.h"

#include <errno.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/folder_lock.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/restore/restore_publish.h"
#include "sluice/plugins/badger/sort/restore_file.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_stream_reader.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

// "/a/b/" is in "/a", "b" in ".".
std::string ParentOf(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status Unavailable(absl::string_view operation, const std::string& path,
                         int error) {
  if (error == ENOENT || error == ENOTDIR) {
    return SourceIoError(operation, path, error);
  }
  return TargetError(operation, path, error);
}

// True if it was made.
absl::StatusOr<bool> MakeFolderIfAbsent(FileSystem& file_system,
                                        const std::string& path) {
  const int error = file_system.MakeDirectory(path, 0700);
  if (error == EEXIST) return false;
  if (error != 0) return Unavailable("make folder", path, error);
  const std::string parent = ParentOf(path);
  const absl::Status synced = SyncFolder(file_system, parent);
  if (synced.ok()) return true;
  file_system.RemoveDirectory(path);
  return synced;
}

absl::Status ReadPayload(const sdk::Run& run, sdk::Payload& payload,
                         EntryStager& stager) {
  BackupStreamReader reader(
      [&stager](const StreamEntry& entry) { return stager.Add(entry); });
  while (true) {
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes, payload.Next());
    if (bytes.empty()) return reader.Finish();
    SLUICE_RETURN_IF_ERROR(reader.Feed(bytes));
  }
}

absl::Status CheckLive(const LiveTotals& live, const LiveTotals& expected) {
  if (live.Equals(expected)) return absl::OkStatus();
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition,
                kRestorePreconditionFailed,
                absl::StrCat(
                    "the chain holds ", live.keys,
                    " live keys, the store held ", expected.keys,
                    live.keys == expected.keys ? " of which some differ" : "",
                    ": an increment was made on a base that it does "
                    "not follow, or a deletion between the two was "
                    "compacted away")),
      "restore the last full backup, or an earlier increment; or accept that "
      "deleted keys and old values come back (--accept-mismatch)");
}

absl::Status WriteCompanions(FileSystem& folder, const std::string& staged,
                             const RestoreOptions& options) {
  for (const auto& [name, contents] : options.companions) {
    SLUICE_ASSIGN_OR_RETURN(
        const std::unique_ptr<OutputFile> file,
        OutputFile::Create(folder, absl::StrCat(staged, "/", name),
                           options.stager.directory.owner));
    SLUICE_RETURN_IF_ERROR(file->Append(contents));
    SLUICE_RETURN_IF_ERROR(file->SyncAndClose());
  }
  return absl::OkStatus();
}

// A folder to restore into, as soon as nothing but remains was in it.
absl::StatusOr<std::unique_ptr<FileSystem>> OpenTarget(
    FileSystem& file_system, const std::string& path) {
  auto opened = file_system.Beneath(path);
  if (!opened.ok()) return Unavailable("open folder", path, opened.error);
  SLUICE_ASSIGN_OR_RETURN(const bool empty, HoldsOnlyRemains(*opened.value));
  if (!empty) {
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     kRestorePreconditionFailed, "it is not empty");
  }
  SLUICE_RETURN_IF_ERROR(RemoveRemains(*opened.value));
  return std::move(opened.value);
}

// Logs first: to what leads to none MANIFEST makes no database. `values` may be
// null.
absl::Status PublishBoth(FileSystem& folder, FileSystem* values,
                         const std::string& staged) {
  if (values == nullptr) return PublishStaged(folder, staged).status();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> logs,
                          PublishStaged(*values, staged));
  const absl::Status status = PublishStaged(folder, staged).status();
  if (!status.ok()) Unpublish(*values, logs).IgnoreError();
  return status;
}

absl::StatusOr<RestoreTotals> StageAndPublish(
    FileSystem& folder, FileSystem* values, const RestoreOptions& options,
    const sdk::Run& run, absl::Span<sdk::Payload* const> payloads) {
  SLUICE_RETURN_IF_ERROR(MakeFolder(folder, kStagingFolder));
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> scratch,
                          OpenFolder(folder, kStagingFolder));
  std::unique_ptr<FileSystem> log_scratch;
  if (values != nullptr) {
    SLUICE_RETURN_IF_ERROR(MakeFolder(*values, kStagingFolder));
    SLUICE_ASSIGN_OR_RETURN(log_scratch, OpenFolder(*values, kStagingFolder));
  }
  EntryStager stager(*scratch, options.stager, run, log_scratch.get());
  SLUICE_RETURN_IF_ERROR(stager.Begin());
  for (sdk::Payload* payload : payloads) {
    SLUICE_RETURN_IF_ERROR(ReadPayload(run, *payload, stager));
  }
  SLUICE_ASSIGN_OR_RETURN(StagedDirectory staged, stager.Finish());
  if (options.must_hold_something && staged.entries == 0) {
    return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                              kSourceEmpty, "the file holds no entry"),
                    "--allow-empty restores an empty database");
  }
  absl::Status mismatch;
  if (options.expected.has_value()) {
    mismatch = CheckLive(staged.live, *options.expected);
    if (!options.accept_mismatch) SLUICE_RETURN_IF_ERROR(mismatch);
  }
  SLUICE_RETURN_IF_ERROR(WriteCompanions(*scratch, staged.folder, options));
  SLUICE_RETURN_IF_ERROR(run.status());
  SLUICE_RETURN_IF_ERROR(PublishBoth(folder, values, staged.folder));
  return RestoreTotals{staged.entries, staged.max_version, staged.tables,
                       std::move(staged.live), std::move(mismatch)};
}

absl::StatusOr<RestoreTotals> RestoreInto(
    FileSystem& file_system, const std::string& path,
    const RestoreOptions& options, const sdk::Run& run,
    absl::Span<sdk::Payload* const> payloads) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> folder,
                          OpenTarget(file_system, path));
  std::unique_ptr<FileSystem> values;
  if (!options.value_folder.empty()) {
    auto opened = OpenTarget(file_system, options.value_folder);
    if (!opened.ok()) return Annotate(opened.status(), options.value_folder);
    values = *std::move(opened);
  }
  RestoreOptions owned = options;
  DirectoryOptions& directory = owned.stager.directory;
  SLUICE_ASSIGN_OR_RETURN(directory.owner, FileOwner::Of(*folder));
  SLUICE_ASSIGN_OR_RETURN(directory.log_owner,
                          FileOwner::Of(values != nullptr ? *values : *folder));
  absl::StatusOr<RestoreTotals> totals =
      StageAndPublish(*folder, values.get(), owned, run, payloads);
  // What cannot be removed stays marked as unfinished, for the next one.
  if (!totals.ok()) {
    RemoveRemains(*folder).IgnoreError();
    if (values != nullptr) RemoveRemains(*values).IgnoreError();
  }
  return totals;
}

// Null where none is wanted.
absl::StatusOr<std::unique_ptr<FolderLock>> LockTarget(const std::string& path,
                                                       bool is_wanted) {
  if (!is_wanted || path.empty()) return std::unique_ptr<FolderLock>();
  auto lock = FolderLock::Take(path);
  if (lock.ok() || ErrorCodeOf(lock.status()) == kSourcePermissionDenied) {
    return lock;
  }
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   kRestorePreconditionFailed, lock.status().message());
}

absl::StatusOr<RestoreTotals> RestoreLocked(
    FileSystem& file_system, const std::string& path,
    const RestoreOptions& options, const sdk::Run& run,
    absl::Span<sdk::Payload* const> payloads) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> lock,
                          LockTarget(path, options.hold_lock));
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FolderLock> value_lock,
                          LockTarget(options.value_folder, options.hold_lock));
  return RestoreInto(file_system, path, options, run, payloads);
}

}  // namespace

absl::StatusOr<bool> IsEmptyTarget(FileSystem* file_system,
                                   const std::string& path) {
  auto folder = file_system->Beneath(path);
  if (folder.ok()) {
    const auto empty = HoldsOnlyRemains(*folder.value);
    return empty.ok() ? empty : Annotate(empty.status(), path);
  }
  if (folder.error != ENOENT) {
    return Unavailable("open folder", path, folder.error);
  }
  const auto parent = file_system->Beneath(ParentOf(path));
  if (parent.ok()) return true;
  return Unavailable("open folder", ParentOf(path), parent.error);
}

absl::StatusOr<RestoreTotals> RestoreDirectory(
    FileSystem* file_system, const std::string& path,
    const RestoreOptions& options, const sdk::Run& run,
    absl::Span<sdk::Payload* const> payloads) {
  if (payloads.empty()) {
    return InvalidArgument("restore: no payload was given");
  }
  SLUICE_ASSIGN_OR_RETURN(const bool made,
                          MakeFolderIfAbsent(*file_system, path));
  absl::StatusOr<bool> made_values = false;
  if (!options.value_folder.empty()) {
    made_values = MakeFolderIfAbsent(*file_system, options.value_folder);
  }
  absl::StatusOr<RestoreTotals> totals =
      made_values.ok()
          ? RestoreLocked(*file_system, path, options, run, payloads)
          : made_values.status();
  if (totals.ok()) return totals;
  // A folder that we made goes again; it stays where anything is in it.
  if (made) file_system->RemoveDirectory(path);
  if (made_values.value_or(false)) {
    file_system->RemoveDirectory(options.value_folder);
  }
  return Annotate(totals.status(), absl::StrCat("restore into folder ", path));
}

}  // namespace badger
}  // namespace sluice
