#include "sluice/destinations/local/place_folder.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/local/errors.h"
#include "sluice/destinations/local/object_path.h"

namespace sluice {
namespace {

constexpr uint32_t kFolderMode = 0700;

// "a", "a/b", "a/b/c" of "a/b/c".
std::vector<std::string> ChainOf(absl::string_view folder) {
  std::vector<std::string> chain;
  for (; !folder.empty(); folder = FolderOf(folder)) {
    chain.emplace_back(folder);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

absl::Status PlaceFolder::Error(absl::string_view operation,
                                absl::string_view name, int error) const {
  return ErrnoError(operation, JoinPath(path_, name), error);
}

absl::StatusOr<std::unique_ptr<FileSystem>> PlaceFolder::Open() const {
  IoResult<std::unique_ptr<FileSystem>> root = file_system_->Beneath(path_);
  if (!root.ok()) return ErrnoError("open", path_, root.error);
  return std::move(root.value);
}

absl::Status PlaceFolder::Create() const {
  SLUICE_RETURN_IF_ERROR(CreateAt(path_));
  return Open().status();
}

absl::Status PlaceFolder::CreateAt(const std::string& path) const {
  int error = file_system_->MakeDirectory(path, kFolderMode);
  if (error == ENOENT && !FolderOf(path).empty()) {
    SLUICE_RETURN_IF_ERROR(CreateAt(std::string(FolderOf(path))));
    error = file_system_->MakeDirectory(path, kFolderMode);
  }
  if (error != 0 && error != EEXIST) return ErrnoError("create", path, error);
  return SyncParentOf(path, error == 0);
}

absl::Status PlaceFolder::SyncParentOf(const std::string& path,
                                       bool made) const {
  const std::string parent = absl::StrCat(FolderOf(path), "/");
  const int error = file_system_->SyncDirectory(parent);
  if (error == 0 || (allow_unsynced_ && IsUnsupported(error))) {
    return absl::OkStatus();
  }
  // A folder that was there may lie in one that is not ours to read.
  if (!made && (error == EACCES || error == EPERM)) return absl::OkStatus();
  if (made) (void)file_system_->RemoveDirectory(path);
  return ErrnoError("sync folder", parent, error);
}

absl::Status PlaceFolder::MakeFolders(FileSystem& root,
                                      absl::string_view folder,
                                      std::vector<std::string>& made) {
  for (const std::string& path : ChainOf(folder)) {
    const int error = root.MakeDirectory(path, kFolderMode);
    if (error == 0) {
      SetDurable(path, false);
      if (!Contains(made, path)) made.push_back(path);
    } else if (error != EEXIST) {
      return Error("create folder", path, error);
    }
  }
  return absl::OkStatus();
}

absl::Status PlaceFolder::SyncFolders(FileSystem& root,
                                      absl::string_view folder,
                                      const std::vector<std::string>& made) {
  if (folder.empty() && !KnownDurable("")) {
    SLUICE_RETURN_IF_ERROR(SyncFolder(root, ""));
    SetDurable("", true);
  }
  for (const std::string& path : ChainOf(folder)) {
    if (!Contains(made, path) && KnownDurable(path)) continue;
    SLUICE_RETURN_IF_ERROR(SyncFolder(root, FolderOf(path)));
    SetDurable(path, true);
  }
  return absl::OkStatus();
}

void PlaceFolder::RemoveFolders(FileSystem& root,
                                const std::vector<std::string>& folders) {
  for (auto path = folders.rbegin(); path != folders.rend(); ++path) {
    if (root.RemoveDirectory(*path) == 0) SetDurable(*path, false);
  }
}

void PlaceFolder::RemoveEmpty(FileSystem& root, absl::string_view folder) {
  for (; !folder.empty(); folder = FolderOf(folder)) {
    const int error = root.RemoveDirectory(std::string(folder));
    if (error != 0 && error != ENOENT) return;
    SetDurable(std::string(folder), false);
  }
}

absl::Status PlaceFolder::SyncFolder(FileSystem& root,
                                     absl::string_view folder) const {
  const int error = root.SyncDirectory(FolderPath(folder));
  if (error == 0) return absl::OkStatus();
  if (!IsUnsupported(error)) return Error("sync folder", folder, error);
  if (allow_unsynced_) return absl::OkStatus();
  return WithHint(Error("sync folder", folder, error),
                  "this file system cannot promise that a backup survives a "
                  "power cut; use it all the same with allow_unsynced=true");
}

absl::Status PlaceFolder::SyncNearest(FileSystem& root,
                                      absl::string_view folder) const {
  while (true) {
    const absl::Status status = SyncFolder(root, folder);
    if (folder.empty() || ErrorCodeOf(status) != kDestinationNotFound) {
      return status;
    }
    folder = FolderOf(folder);
  }
}

void PlaceFolder::MarkUncertain(absl::string_view name) {
  MutexLock lock(mutex_);
  uncertain_.insert(std::string(name));
}

absl::Status PlaceFolder::SettleName(FileSystem& root, absl::string_view name) {
  {
    MutexLock lock(mutex_);
    if (uncertain_.count(std::string(name)) == 0) return absl::OkStatus();
  }
  // To sync again would prove nothing, the failed sync may have given up on the
  // change. A new change, whose sync succeeds, carries the earlier ones along.
  const std::string scratch = NewTemporary(name);
  IoResult<std::unique_ptr<File>> file =
      root.Open(scratch, O_WRONLY | O_CREAT | O_EXCL, kFileMode);
  if (!file.ok() && file.error != ENOENT) {
    return Error("settle", name, file.error);
  }
  if (file.ok()) (void)root.Unlink(scratch);
  SLUICE_RETURN_IF_ERROR(SyncNearest(root, FolderOf(name)));
  MutexLock lock(mutex_);
  uncertain_.erase(std::string(name));
  return absl::OkStatus();
}

bool PlaceFolder::KnownDurable(const std::string& folder) {
  MutexLock lock(mutex_);
  return durable_.count(folder) > 0;
}

void PlaceFolder::SetDurable(const std::string& folder, bool durable) {
  MutexLock lock(mutex_);
  if (durable) {
    durable_.insert(folder);
  } else {
    durable_.erase(folder);
  }
}

}  // namespace sluice
