#include "sluice/catalog/sqlite/catalog_file.h"

#include <errno.h>
#include <fcntl.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/disk_error.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"

namespace sluice {
namespace {

absl::Status FileError(const std::string& what, int error) {
  constexpr DiskWords kWords = {
      kCatalogNoSpace,
      kCatalogPermissionDenied,
      kCatalogUnavailable,
      "make room on the disk that the catalog is on",
      "the catalog and its folder must be writable for the user who runs "
      "sluice; --catalog names another place",
      "--catalog names another place"};
  return DiskError(error, absl::StrCat("catalog: ", what), kWords);
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status MakeFolders(FileSystem& file_system, const std::string& folder) {
  if (folder == "." || folder == "/" || file_system.Stat(folder).ok())
    return absl::OkStatus();
  const std::string parent = ParentOf(folder);
  SLUICE_RETURN_IF_ERROR(MakeFolders(file_system, parent));
  const int error = file_system.MakeDirectory(folder, 0700);
  // Another process was faster.
  if (error != 0 && error != EEXIST)
    return FileError(absl::StrCat("make folder ", folder), error);
  const int unsynced = file_system.SyncDirectory(parent);
  if (unsynced == 0) return absl::OkStatus();
  // Made anew by the next try, which would not sync what it finds.
  file_system.RemoveDirectory(folder);
  return FileError(absl::StrCat("sync folder ", parent), unsynced);
}

std::string ReservePath(const std::string& path) { return path + "-reserve"; }

}  // namespace

absl::Status PrepareCatalogFile(FileSystem& file_system,
                                const std::string& path) {
  const std::string folder = ParentOf(path);
  SLUICE_RETURN_IF_ERROR(MakeFolders(file_system, folder));
  IoResult<std::unique_ptr<File>> file =
      file_system.Open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (file.error == EEXIST) {
    const IoResult<FileInfo> info = file_system.Stat(path);
    if (info.ok() && info.value.type == FileInfo::Type::kDirectory)
      return FileError(absl::StrCat("open ", path), EISDIR);
    // Whoever made it may have died before its folder was in its own; best
    // effort, as a folder that we may not read cannot be synced.
    if (info.ok() && info.value.size == 0)
      file_system.SyncDirectory(ParentOf(folder));
    return absl::OkStatus();
  }
  if (!file.ok()) return FileError(absl::StrCat("create ", path), file.error);
  const int error = file.value->Close();
  if (error != 0) return FileError(absl::StrCat("create ", path), error);
  return absl::OkStatus();
}

absl::Status PublishCatalogFile(FileSystem& file_system,
                                const std::string& staged,
                                const std::string& path) {
  IoResult<std::unique_ptr<File>> file = file_system.Open(staged, O_RDWR, 0);
  if (!file.ok()) return FileError(absl::StrCat("open ", staged), file.error);
  int error = file.value->Sync();
  if (const int closed = file.value->Close(); error == 0) error = closed;
  if (error != 0) return FileError(absl::StrCat("sync ", staged), error);
  error = file_system.Rename(staged, path);
  if (error != 0) return FileError(absl::StrCat("rename to ", path), error);
  return SyncCatalogFolder(file_system, path);
}

absl::Status SyncCatalogFolder(FileSystem& file_system,
                               const std::string& path) {
  const std::string folder = ParentOf(path);
  const int error = file_system.SyncDirectory(folder);
  if (error != 0) return FileError(absl::StrCat("sync folder ", folder), error);
  return absl::OkStatus();
}

void KeepReserve(FileSystem& file_system, const std::string& path,
                 size_t bytes) {
  if (bytes == 0) return;
  const std::string reserve = ReservePath(path);
  IoResult<std::unique_ptr<File>> file =
      file_system.Open(reserve, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!file.ok()) return;
  // Not sparse, and not to be compressed away to nothing by the file system.
  std::string block(bytes, '\0');
  uint32_t state = 1;
  for (char& c : block) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  // Only once it was synced is it certain that the room is taken.
  const bool written =
      WriteAll(*file.value, block) == 0 && file.value->Sync() == 0;
  if (file.value->Close() != 0 || !written) file_system.Unlink(reserve);
}

bool GiveUpReserve(FileSystem& file_system, const std::string& path) {
  return file_system.Unlink(ReservePath(path)) == 0;
}

}  // namespace sluice
