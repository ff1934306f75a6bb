#include "sluice/plugins/badger/live/scratch_area.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/sdk/workers.h"

namespace sluice {
namespace badger {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kNamePrefix = "sluice-badger-";
constexpr int kMaxTries = 100;
constexpr int kRemovers = 2;
constexpr char kProbe[] = "probe";

absl::Status Unusable(absl::string_view what, const std::string& path) {
  return MakeError(absl::StatusCode::kUnavailable, kScratchUnavailable,
                   absl::StrCat("scratch folder ", path, ": ", what));
}

// What of `folder` is a file, with what it takes of its disk.
void ForEachFile(const std::string& folder,
                 absl::FunctionRef<void(const fs::path&, uint64_t)> visit) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator();
       entries.increment(error)) {
    struct stat info;
    if (lstat(entries->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      visit(entries->path(), uint64_t{512} * info.st_blocks);
    }
  }
}

// Whether `path` is `folder` or lies below it, symlinks followed.
bool IsWithin(const std::string& path, const std::string& folder) {
  std::error_code error;
  const fs::path inner = fs::weakly_canonical(path, error);
  if (error) return false;
  const fs::path outer = fs::weakly_canonical(folder, error);
  if (error) return false;
  return inner == outer ||
         absl::StartsWith(inner.string() + "/", outer.string() + "/");
}

// The folder opened and locked; -1 where it is gone or in use.
int OpenLocked(const std::string& path) {
  const int fd =
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat opened;
  struct stat named;
  // It may have been removed between the two calls, and be another one by now.
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 &&
      lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
      opened.st_dev == named.st_dev) {
    return fd;
  }
  close(fd);
  return -1;
}

// Files on several threads: to give the memory of one back takes longer than to
// write its name.
void RemoveAll(const std::string& path) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entries(path, error);
  for (; !error && entries != fs::recursive_directory_iterator();
       entries.increment(error)) {
    if (!entries->is_directory(error)) files.push_back(entries->path());
  }
  sdk::ForEach(files.size(), kRemovers, [&](size_t i) {
    unlink(files[i].c_str());
    return absl::OkStatus();
  }).IgnoreError();
  fs::remove_all(path, error);
}

void RemoveAbandoned(const std::string& parent) {
  std::error_code error;
  fs::directory_iterator entries(parent, error);
  for (; !error && entries != fs::directory_iterator();
       entries.increment(error)) {
    const std::string path = entries->path().string();
    if (!absl::StartsWith(entries->path().filename().string(), kNamePrefix)) {
      continue;
    }
    struct stat info;
    if (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) ||
        info.st_uid != geteuid()) {
      continue;
    }
    const int fd = OpenLocked(path);
    if (fd < 0) continue;
    RemoveAll(path);
    close(fd);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ScratchArea>> ScratchArea::Create(
    const std::string& parent, const std::vector<std::string>& databases) {
  for (const std::string& database : databases) {
    if (IsWithin(parent, database)) {
      return MakeError(absl::StatusCode::kInvalidArgument, kScratchUnavailable,
                       absl::StrCat("scratch folder ", parent,
                                    ": it lies in the database ", database));
    }
  }
  RemoveAbandoned(parent);
  // Another run may take a new folder for an abandoned one before it is locked.
  for (int i = 0; i < kMaxTries; ++i) {
    std::string path = absl::StrCat(parent, "/", kNamePrefix, "XXXXXX");
    if (mkdtemp(path.data()) == nullptr) {
      return WithHint(ScratchIoError("make scratch folder in", parent, errno),
                      "scratch=DIR names another folder");
    }
    const int fd = OpenLocked(path);
    if (fd >= 0) {
      return std::unique_ptr<ScratchArea>(new ScratchArea(path, fd));
    }
    rmdir(path.c_str());
  }
  return Unusable("no folder in it can be locked", parent);
}

ScratchArea::~ScratchArea() {
  RemoveAll(path_);
  close(fd_);
}

absl::Status ScratchArea::CheckRoom(uint64_t bytes) const {
  struct statvfs info;
  if (fstatvfs(fd_, &info) != 0) return Unusable(strerror(errno), path_);
  const uint64_t free = uint64_t{info.f_bavail} * info.f_frsize;
  if (free >= bytes) return absl::OkStatus();
  return WithHint(
      MakeError(absl::StatusCode::kResourceExhausted, kScratchNoSpace,
                absl::StrCat("scratch folder ", path_, ": ", free,
                             " bytes are free, a copy of the database takes ",
                             bytes)),
      "scratch=DIR names another folder; mode=offline needs none");
}

absl::Status ScratchArea::CheckRoomForCopyOf(
    const std::vector<std::string>& databases, bool with_value_logs) const {
  uint64_t bytes = 0;
  for (const std::string& folder : databases) {
    if (with_value_logs) {
      bytes += SharesBlocksWith(folder) ? AllocatedBytesOfOpenLogs(folder)
                                        : AllocatedBytes(folder);
    } else if (!SharesBlocksWith(folder)) {
      const uint64_t all = AllocatedBytes(folder);
      bytes += all - std::min(all, AllocatedBytesOfValueLogs(folder));
    }
  }
  return CheckRoom(bytes);
}

bool ScratchArea::SharesBlocksWith(const std::string& folder) const {
  bool tried = false;
  bool shares = false;
  ForEachFile(folder, [&](const fs::path& path, uint64_t bytes) {
    if (tried || bytes == 0) return;
    tried = true;
    const int from = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    const int to = openat(fd_, kProbe, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    shares = from >= 0 && to >= 0 && ioctl(to, FICLONE, from) == 0;
    if (from >= 0) close(from);
    if (to >= 0) close(to);
  });
  unlinkat(fd_, kProbe, 0);
  return shares;
}

uint64_t AllocatedBytes(const std::string& folder) {
  uint64_t sum = 0;
  ForEachFile(folder, [&](const fs::path&, uint64_t bytes) { sum += bytes; });
  return sum;
}

uint64_t AllocatedBytesOfValueLogs(const std::string& folder) {
  uint64_t sum = 0;
  ForEachFile(folder, [&](const fs::path& path, uint64_t bytes) {
    if (path.extension() == ".vlog") sum += bytes;
  });
  return sum;
}

uint64_t AllocatedBytesOfOpenLogs(const std::string& folder) {
  uint64_t sum = 0;
  fs::path newest;
  uint64_t newest_bytes = 0;
  ForEachFile(folder, [&](const fs::path& path, uint64_t bytes) {
    if (path.extension() == ".mem") sum += bytes;
    if (path.extension() == ".vlog" && path > newest) {
      newest = path;
      newest_bytes = bytes;
    }
  });
  return sum + newest_bytes;
}

}  // namespace badger
}  // namespace sluice
