#include "sluice/base/staged_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

constexpr uint32_t kFolderMode = 0700;
constexpr uint32_t kFileMode = 0600;
constexpr char kPublishing[] = ".sluice-restore/publishing";
// Ends `publishing`: without it the file was not yet whole, and nothing
// visible.
constexpr absl::string_view kPublishingEnd = "/end";

}  // namespace

absl::Status TargetStatus(absl::string_view what, absl::string_view path,
                          int error) {
  return error == 0 ? absl::OkStatus() : TargetError(what, path, error);
}

absl::Status TargetError(absl::string_view what, absl::string_view path,
                         int error) {
  const std::string message = absl::StrCat(
      what, " ", absl::Utf8SafeCEscape(path), ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                                kSourceNoSpace, message),
                      "free some space, then restore again");
    case EACCES:
    case EPERM:
      return WithHint(MakeError(absl::StatusCode::kPermissionDenied,
                                kSourcePermissionDenied, message),
                      "run sluice as a user who may read it, or write it for "
                      "a restore");
    case EROFS:
      return WithHint(MakeError(absl::StatusCode::kPermissionDenied,
                                kSourceReadOnly, message),
                      "the file system is mounted read-only");
    default:
      return MakeError(absl::StatusCode::kUnavailable, kSourceFailed, message);
  }
}

absl::StatusOr<FileOwner> FileOwner::Of(FileSystem& folder) {
  FileOwner owner;
  if (geteuid() != 0) return owner;
  const auto file = folder.Open(".", O_RDONLY | O_DIRECTORY, 0);
  // A file system of a test's has none.
  if (!file.ok() || file.value->NativeDescriptor() < 0) return owner;
  struct stat info;
  if (fstat(file.value->NativeDescriptor(), &info) != 0) {
    return TargetError("stat", "the folder", errno);
  }
  owner.gives_ = info.st_uid != 0 || info.st_gid != 0;
  owner.user_ = info.st_uid;
  owner.group_ = info.st_gid;
  return owner;
}

absl::Status FileOwner::Give(const File& file, absl::string_view path) const {
  if (!gives_) return absl::OkStatus();
  if (fchown(file.NativeDescriptor(), user_, group_) == 0) {
    return absl::OkStatus();
  }
  return WithHint(TargetError("give to the folder's owner", path, errno),
                  "restore as that user");
}

absl::Status FileOwner::GiveFolder(FileSystem& folder,
                                   const std::string& path) const {
  if (!gives_) return absl::OkStatus();
  const auto opened = folder.Open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (!opened.ok()) return TargetError("open folder", path, opened.error);
  return Give(*opened.value, path);
}

absl::Status OpenError(absl::string_view what, absl::string_view path,
                       int error) {
  const absl::Status status = TargetError(what, path, error);
  if (ErrorCodeOf(status) != kSourceFailed) return status;
  return WithHint(WithCode(status, kSourceUnavailable),
                  "is the path right, and the disk mounted?");
}

absl::Status MakeFolder(FileSystem& folder, const std::string& path) {
  return TargetStatus("make folder", path,
                      folder.MakeDirectory(path, kFolderMode));
}

absl::Status SyncFolder(FileSystem& folder, const std::string& path) {
  return TargetStatus("sync folder", path, folder.SyncDirectory(path));
}

absl::Status RemoveTree(FileSystem& folder, const std::string& path) {
  // Without recursion: the depth is another's choice.
  std::vector<std::string> pending = {path};
  while (!pending.empty()) {
    const std::string next = pending.back();
    int error = folder.Unlink(next);
    // Unlinking a folder is EISDIR, or EPERM by POSIX.
    if (error == EISDIR || error == EPERM) {
      error = folder.RemoveDirectory(next);
    }
    if (error == ENOTEMPTY || error == EEXIST) {
      const auto entries = folder.List(next);
      if (!entries.ok()) return TargetError("list folder", next, entries.error);
      for (const DirectoryEntry& entry : entries.value) {
        pending.push_back(absl::StrCat(next, "/", entry.name));
      }
      continue;
    }
    if (error != 0 && error != ENOENT) {
      return TargetError("remove", next, error);
    }
    pending.pop_back();
  }
  return absl::OkStatus();
}

absl::Status MoveTo(FileSystem& folder, const std::string& from,
                    const std::string& to) {
  int error = folder.RenameNoReplace(from, to);
  if (error == EINVAL) {
    // Not on this file system. The folder was empty when we came.
    error = folder.Rename(from, to);
  }
  return TargetStatus("publish", to, error);
}

absl::Status WritePublishing(FileSystem& target, char after_name,
                             const std::vector<std::string>& names) {
  std::string contents;
  for (const std::string& name : names) {
    contents += name;
    contents += after_name;
  }
  absl::StrAppend(&contents, kPublishingEnd);
  const auto file = target.Open(
      kPublishing, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode);
  if (!file.ok()) return TargetError("create file", kPublishing, file.error);
  SLUICE_RETURN_IF_ERROR(TargetStatus("write file", kPublishing,
                                      WriteAllAt(*file.value, 0, contents)));
  SLUICE_RETURN_IF_ERROR(
      TargetStatus("sync file", kPublishing, file.value->Sync()));
  SLUICE_RETURN_IF_ERROR(
      TargetStatus("close file", kPublishing, file.value->Close()));
  SLUICE_RETURN_IF_ERROR(SyncFolder(target, kStagingFolder));
  return SyncFolder(target, ".");
}

absl::StatusOr<std::vector<std::string>> ReadPublishing(FileSystem& target,
                                                        char after_name) {
  const auto contents = ReadWholeFile(target, kPublishing);
  if (absl::IsNotFound(contents.status())) return std::vector<std::string>();
  SLUICE_RETURN_IF_ERROR(contents.status());
  std::vector<std::string> names =
      absl::StrSplit(*contents, after_name, absl::SkipEmpty());
  if (names.empty() || names.back() != kPublishingEnd) {
    return std::vector<std::string>();
  }
  names.pop_back();
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status RemoveStaging(FileSystem& target) {
  const auto staged = target.List(kStagingFolder);
  if (!staged.ok()) return TargetError("list", kStagingFolder, staged.error);
  for (const DirectoryEntry& entry : staged.value) {
    const std::string path = absl::StrCat(kStagingFolder, "/", entry.name);
    if (path != kPublishing) SLUICE_RETURN_IF_ERROR(RemoveTree(target, path));
  }
  SLUICE_RETURN_IF_ERROR(SyncFolder(target, kStagingFolder));
  SLUICE_RETURN_IF_ERROR(RemoveTree(target, kStagingFolder));
  return SyncFolder(target, ".");
}

absl::StatusOr<std::string> ReadWholeFile(FileSystem& folder,
                                          const std::string& path) {
  auto file = folder.Open(path, O_RDONLY | O_NOFOLLOW, 0);
  if (file.error == ENOENT || file.error == ENOTDIR) {
    return absl::NotFoundError(path);
  }
  if (!file.ok()) return TargetError("open file", path, file.error);
  std::string contents;
  std::vector<char> buffer(64 << 10);
  while (true) {
    const auto count = file.value->Read(absl::MakeSpan(buffer));
    if (!count.ok()) return TargetError("read file", path, count.error);
    if (count.value == 0) return contents;
    contents.append(buffer.data(), count.value);
  }
}

}  // namespace sluice
