#include "sluice/plugins/badger/restore_file.h"

#include <errno.h>
#include <fcntl.h>

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint32_t kFolderMode = 0700;
constexpr uint32_t kFileMode = 0600;
// The disk begins with so much at a time, so that the sync of a table does not
// wait for all of it.
constexpr uint64_t kWritebackBytes = uint64_t{8} << 20;

// Repeats what a signal may interrupt.
template <typename Call>
auto Persistently(Call call) {
  auto result = call();
  while (result.error == EINTR) result = call();
  return result;
}

template <typename Call>
int PersistentlyInt(Call call) {
  int error = call();
  while (error == EINTR) error = call();
  return error;
}

absl::Status OkOr(absl::string_view what, absl::string_view path, int error) {
  return error == 0 ? absl::OkStatus() : TargetError(what, path, error);
}

}  // namespace

absl::Status TargetError(absl::string_view what, absl::string_view path,
                         int error) {
  const std::string message =
      absl::StrCat(what, " ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                                kSourceNoSpace, message),
                      "free some space, then restore again");
    case EACCES:
    case EPERM:
    case EROFS:
      return MakeError(absl::StatusCode::kPermissionDenied, kSourceUnavailable,
                       message);
    default:
      return MakeError(absl::StatusCode::kUnavailable, kSourceFailed, message);
  }
}

absl::Status MakeFolder(FileSystem& folder, const std::string& path) {
  return OkOr("make folder", path, PersistentlyInt([&] {
                return folder.MakeDirectory(path, kFolderMode);
              }));
}

absl::Status SyncFolder(FileSystem& folder, const std::string& path) {
  return OkOr("sync folder", path,
              PersistentlyInt([&] { return folder.SyncDirectory(path); }));
}

absl::Status RemoveTree(FileSystem& folder, const std::string& path) {
  // Without recursion: the depth is another's choice.
  std::vector<std::string> pending = {path};
  while (!pending.empty()) {
    const std::string next = pending.back();
    int error = PersistentlyInt([&] { return folder.Unlink(next); });
    // Unlinking a folder is EISDIR, or EPERM by POSIX.
    if (error == EISDIR || error == EPERM) {
      error = PersistentlyInt([&] { return folder.RemoveDirectory(next); });
    }
    if (error == ENOTEMPTY || error == EEXIST) {
      const auto entries = Persistently([&] { return folder.List(next); });
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
  int error = PersistentlyInt([&] { return folder.RenameNoReplace(from, to); });
  if (error == EINVAL) {
    // Not on this file system. The folder was empty when we came.
    error = PersistentlyInt([&] { return folder.Rename(from, to); });
  }
  return OkOr("publish", to, error);
}

absl::StatusOr<std::unique_ptr<FileSystem>> OpenFolder(
    FileSystem& folder, const std::string& path) {
  auto opened = Persistently([&] { return folder.Beneath(path); });
  if (!opened.ok()) return TargetError("open folder", path, opened.error);
  return std::move(opened.value);
}

absl::StatusOr<std::string> ReadWholeFile(FileSystem& folder,
                                          const std::string& path) {
  auto file =
      Persistently([&] { return folder.Open(path, O_RDONLY | O_NOFOLLOW, 0); });
  if (file.error == ENOENT || file.error == ENOTDIR) {
    return absl::NotFoundError(path);
  }
  if (!file.ok()) return TargetError("open file", path, file.error);
  std::string contents;
  std::vector<char> buffer(64 << 10);
  while (true) {
    const auto count =
        Persistently([&] { return file.value->Read(absl::MakeSpan(buffer)); });
    if (!count.ok()) return TargetError("read file", path, count.error);
    if (count.value == 0) return contents;
    contents.append(buffer.data(), count.value);
  }
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(
    FileSystem& folder, std::string path) {
  auto file = Persistently([&] {
    return folder.Open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                       kFileMode);
  });
  if (!file.ok()) return TargetError("create file", path, file.error);
  return std::unique_ptr<OutputFile>(
      new OutputFile(std::move(file.value), std::move(path)));
}

absl::Status OutputFile::Append(absl::string_view bytes) {
  if (buffer_.size() + bytes.size() < kBufferBytes) {
    buffer_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(Flush());
  if (bytes.size() >= kBufferBytes) return WriteAll(bytes);
  buffer_.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status OutputFile::Flush() {
  SLUICE_RETURN_IF_ERROR(WriteAll(buffer_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status OutputFile::WriteAll(absl::string_view bytes) {
  while (!bytes.empty()) {
    const auto count =
        Persistently([&] { return file_->WriteAt(written_, bytes); });
    if (!count.ok()) return TargetError("write file", path_, count.error);
    if (count.value == 0) return TargetError("write file", path_, EIO);
    written_ += count.value;
    bytes.remove_prefix(count.value);
  }
  if (written_ - started_ >= kWritebackBytes) {
    file_->StartWriteback(started_, written_ - started_);
    started_ = written_;
  }
  return absl::OkStatus();
}

absl::Status OutputFile::SyncAndClose() {
  SLUICE_RETURN_IF_ERROR(Flush());
  SLUICE_RETURN_IF_ERROR(
      OkOr("sync file", path_, PersistentlyInt([&] { return file_->Sync(); })));
  return OkOr("close file", path_, file_->Close());
}

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(FileSystem& folder,
                                                           std::string path) {
  auto file =
      Persistently([&] { return folder.Open(path, O_RDONLY | O_NOFOLLOW, 0); });
  if (!file.ok()) return TargetError("open file", path, file.error);
  return std::unique_ptr<InputFile>(
      new InputFile(std::move(file.value), std::move(path)));
}

absl::Status InputFile::Read(size_t count, std::string& bytes) {
  bytes.resize(count);
  size_t have = 0;
  while (have < count) {
    const auto got = Persistently([&] {
      return file_->ReadAt(offset_, absl::MakeSpan(bytes).subspan(have));
    });
    if (!got.ok()) return TargetError("read file", path_, got.error);
    if (got.value == 0) break;
    have += got.value;
    offset_ += got.value;
  }
  bytes.resize(have);
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
