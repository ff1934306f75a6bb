#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"

namespace sluice {
namespace {

// Repeats `call` while a signal interrupts it. Not for close(2): Linux has
// released the descriptor by then, and another thread may own the number.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

int ErrnoOf(int64_t result) { return result == -1 ? errno : 0; }

IoResult<size_t> SizeOf(ssize_t result) {
  if (result == -1) return IoResult<size_t>::Failed(errno);
  return {0, static_cast<size_t>(result)};
}

FileInfo::Type TypeOf(mode_t mode) {
  if (S_ISREG(mode)) return FileInfo::Type::kRegular;
  if (S_ISDIR(mode)) return FileInfo::Type::kDirectory;
  if (S_ISLNK(mode)) return FileInfo::Type::kSymlink;
  return FileInfo::Type::kOther;
}

FileInfo InfoOf(const struct stat& st) {
  FileInfo info;
  info.type = TypeOf(st.st_mode);
  info.size = static_cast<uint64_t>(st.st_size);
  info.modified = absl::TimeFromTimespec(st.st_mtim);
  info.changed = absl::TimeFromTimespec(st.st_ctim);
  info.mode = st.st_mode & 07777;
  info.links = st.st_nlink;
  info.device = st.st_dev;
  info.inode = st.st_ino;
  return info;
}

// From 5.8 on syncfs tells of lost writes.
bool KernelTellsOfLostWrites() {
  static const bool kTells = [] {
    struct utsname kernel;
    int major = 0;
    int minor = 0;
    if (uname(&kernel) != 0 ||
        sscanf(kernel.release, "%d.%d", &major, &minor) != 2) {
      return false;
    }
    return major > 5 || (major == 5 && minor >= 8);
  }();
  return kTells;
}

// Those that write all to their disk in syncfs, and tell of it there. Not so
// FUSE, which does not ask its server, and overlayfs, which does not pass on
// what the layer below has lost.
bool FileSystemTellsOfLostWrites(int fd) {
  struct statfs fs;
  if (Uninterrupted([&] { return fstatfs(fd, &fs); }) != 0) return false;
  switch (fs.f_type) {
    case EXT4_SUPER_MAGIC:  // and ext2, ext3
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
      return true;
    default:
      return false;
  }
}

// A descriptor that is closed, or none (-1).
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  explicit PosixFile(int fd) : fd_(fd) {}

  IoResult<size_t> Read(absl::Span<char> buffer) override {
    return SizeOf(Uninterrupted(
        [&] { return read(fd_.get(), buffer.data(), buffer.size()); }));
  }
  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    return SizeOf(Uninterrupted([&] {
      return pread(fd_.get(), buffer.data(), buffer.size(),
                   static_cast<off_t>(offset));
    }));
  }
  IoResult<size_t> Write(absl::string_view bytes) override {
    return SizeOf(Uninterrupted(
        [&] { return write(fd_.get(), bytes.data(), bytes.size()); }));
  }
  IoResult<size_t> WriteAt(uint64_t offset, absl::string_view bytes) override {
    return SizeOf(Uninterrupted([&] {
      return pwrite(fd_.get(), bytes.data(), bytes.size(),
                    static_cast<off_t>(offset));
    }));
  }
  int Truncate(uint64_t size) override {
    return ErrnoOf(Uninterrupted(
        [&] { return ftruncate(fd_.get(), static_cast<off_t>(size)); }));
  }
  int Sync() override {
    return ErrnoOf(Uninterrupted([&] { return fsync(fd_.get()); }));
  }
  int SyncFileSystem() override {
    if (!KernelTellsOfLostWrites() || !FileSystemTellsOfLostWrites(fd_.get())) {
      return fd_.get() < 0 ? EBADF : ENOTSUP;
    }
    const int error = ErrnoOf(Uninterrupted([&] { return syncfs(fd_.get()); }));
    return error == ENOSYS ? ENOTSUP : error;  // a sandbox may forbid it
  }
  void StartWriteback(uint64_t offset, uint64_t bytes) override {
    (void)sync_file_range(fd_.get(), static_cast<off64_t>(offset),
                          static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
  }
  int NativeDescriptor() const override { return fd_.get(); }
  IoResult<FileInfo> Stat() override {
    struct stat st;
    if (fstat(fd_.get(), &st) != 0) return IoResult<FileInfo>::Failed(errno);
    return {0, InfoOf(st)};
  }
  int Seek(uint64_t offset) override {
    return ErrnoOf(lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET));
  }
  int Close() override {
    if (fd_.get() < 0) return EBADF;
    // Interrupted means closed, with nothing said about the data: that is what
    // Sync is for.
    const int error = ErrnoOf(close(fd_.Release()));
    return error == EINTR ? 0 : error;
  }

 private:
  Descriptor fd_;
};

// A path as the ...at calls want it: a folder's descriptor and a name.
struct Located {
  int error = 0;
  int folder = AT_FDCWD;
  std::string name;
  Descriptor owned;  // behind `folder`, if it was opened for this
};

class PosixFileSystem final : public FileSystem {
 public:
  // `root` -1: paths are the process's.
  explicit PosixFileSystem(int root) : root_(root) {}

  IoResult<std::unique_ptr<File>> Open(const std::string& path, int flags,
                                       uint32_t mode) override {
    using Result = IoResult<std::unique_ptr<File>>;
    Located at = Locate(path);
    if (at.error != 0) return Result::Failed(at.error);
    Descriptor fd(Uninterrupted([&] {
      return openat(at.folder, at.name.c_str(),
                    flags | O_CLOEXEC | NoFollow() | O_NOCTTY, mode);
    }));
    if (fd.get() < 0) return Result::Failed(errno);
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
      const int error = RestoreMode(fd.get(), mode);
      if (error != 0) {
        unlinkat(at.folder, at.name.c_str(), 0);
        return Result::Failed(error);
      }
    }
    return {0, std::make_unique<PosixFile>(fd.Release())};
  }

  int Rename(const std::string& from, const std::string& to) override {
    return RenameWith(from, to, 0);
  }
  int RenameNoReplace(const std::string& from, const std::string& to) override {
    const int error = RenameWith(from, to, RENAME_NOREPLACE);
    return error == ENOSYS ? EINVAL : error;
  }
  int Link(const std::string& from, const std::string& to) override {
    Located a = Locate(from);
    if (a.error != 0) return a.error;
    Located b = Locate(to);
    if (b.error != 0) return b.error;
    return ErrnoOf(Uninterrupted([&] {
      return linkat(a.folder, a.name.c_str(), b.folder, b.name.c_str(), 0);
    }));
  }
  int Unlink(const std::string& path) override { return Remove(path, 0); }
  int RemoveDirectory(const std::string& path) override {
    return Remove(path, AT_REMOVEDIR);
  }

  int MakeDirectory(const std::string& path, uint32_t mode) override {
    Located at = Locate(path);
    if (at.error != 0) return at.error;
    if (Uninterrupted(
            [&] { return mkdirat(at.folder, at.name.c_str(), mode); }) != 0) {
      return errno;
    }
    const int error = RestoreFolderMode(at, mode);
    if (error != 0) unlinkat(at.folder, at.name.c_str(), AT_REMOVEDIR);
    return error;
  }

  int SyncDirectory(const std::string& path) override {
    Located at = Locate(path);
    if (at.error != 0) return at.error;
    const Descriptor fd = OpenFolder(at, O_RDONLY);
    if (fd.get() < 0) return errno;
    return ErrnoOf(Uninterrupted([&] { return fsync(fd.get()); }));
  }

  IoResult<FileInfo> Stat(const std::string& path) override {
    Located at = Locate(path);
    if (at.error != 0) return IoResult<FileInfo>::Failed(at.error);
    struct stat st;
    if (Uninterrupted([&] {
          return fstatat(at.folder, at.name.c_str(), &st, AT_SYMLINK_NOFOLLOW);
        }) != 0) {
      return IoResult<FileInfo>::Failed(errno);
    }
    return {0, InfoOf(st)};
  }

  IoResult<std::vector<DirectoryEntry>> List(const std::string& path) override {
    using Result = IoResult<std::vector<DirectoryEntry>>;
    Located at = Locate(path);
    if (at.error != 0) return Result::Failed(at.error);
    Descriptor fd = OpenFolder(at, O_RDONLY);
    if (fd.get() < 0) return Result::Failed(errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(fdopendir(fd.get()),
                                                     closedir);
    if (folder == nullptr) return Result::Failed(errno);
    fd.Release();  // closedir closes it
    return ReadEntries(folder.get());
  }

  IoResult<std::unique_ptr<FileSystem>> Beneath(
      const std::string& folder) override {
    using Result = IoResult<std::unique_ptr<FileSystem>>;
    Located at = Locate(folder);
    if (at.error != 0) return Result::Failed(at.error);
    Descriptor fd = OpenFolder(at, O_PATH);
    if (fd.get() < 0) return Result::Failed(errno);
    return {0, std::make_unique<PosixFileSystem>(fd.Release())};
  }

  IoResult<uint64_t> LargestFile(const std::string& path) override {
    using Result = IoResult<uint64_t>;
    Located at = Locate(path);
    if (at.error != 0) return Result::Failed(at.error);
    const Descriptor fd(Uninterrupted([&] {
      return openat(at.folder, at.name.c_str(),
                    O_PATH | O_CLOEXEC | NoFollow());
    }));
    if (fd.get() < 0) return Result::Failed(errno);
    struct statfs fs;
    if (Uninterrupted([&] { return fstatfs(fd.get(), &fs); }) != 0) {
      return Result::Failed(errno);
    }
    return {0, fs.f_type == MSDOS_SUPER_MAGIC ? uint64_t{0xffffffff} : 0};
  }

 private:
  bool beneath() const { return root_.get() >= 0; }
  int NoFollow() const { return beneath() ? O_NOFOLLOW : 0; }

  // Beneath a root each folder on the way is opened by itself, without
  // following: what openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) does, on
  // kernels and in sandboxes that lack it, too.
  Located Locate(const std::string& path) const {
    Located at;
    if (path.find('\0') != std::string::npos) {
      at.error = EINVAL;
      return at;
    }
    at.name = path;
    if (!beneath()) return at;
    at.folder = root_.get();
    if (path.empty() || path[0] == '/') {
      at.error = path.empty() ? ENOENT : EXDEV;
      return at;
    }
    size_t begin = 0;
    for (size_t slash; (slash = path.find('/', begin)) != std::string::npos;
         begin = slash + 1) {
      at.error = Descend(path.substr(begin, slash - begin), at);
      if (at.error != 0) return at;
    }
    at.name = path.substr(begin);
    // Not `= "."`, of which GCC 12 warns wrongly (-Wrestrict) at -O2.
    if (at.name.empty()) at.name.push_back('.');
    if (at.name == "..") at.error = EXDEV;
    return at;
  }

  static int Descend(const std::string& name, Located& at) {
    if (name.empty() || name == ".") return 0;
    if (name == "..") return EXDEV;
    Descriptor next(Uninterrupted([&] {
      return openat(at.folder, name.c_str(),
                    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }));
    if (next.get() < 0) return errno;
    at.owned = std::move(next);
    at.folder = at.owned.get();
    return 0;
  }

  Descriptor OpenFolder(const Located& at, int access) const {
    return Descriptor(Uninterrupted([&] {
      return openat(at.folder, at.name.c_str(),
                    access | O_DIRECTORY | O_CLOEXEC | NoFollow());
    }));
  }

  int RenameWith(const std::string& from, const std::string& to,
                 unsigned int flags) const {
    Located a = Locate(from);
    if (a.error != 0) return a.error;
    Located b = Locate(to);
    if (b.error != 0) return b.error;
    return ErrnoOf(Uninterrupted([&] {
      return renameat2(a.folder, a.name.c_str(), b.folder, b.name.c_str(),
                       flags);
    }));
  }

  int Remove(const std::string& path, int flags) const {
    Located at = Locate(path);
    if (at.error != 0) return at.error;
    return ErrnoOf(Uninterrupted(
        [&] { return unlinkat(at.folder, at.name.c_str(), flags); }));
  }

  // Gives back the bits that a umask took. Bits that the file system shows on
  // top (FAT has no modes) are not ours to take away.
  static int RestoreMode(int fd, uint32_t mode) {
    struct stat st;
    if (fstat(fd, &st) != 0) return errno;
    if ((st.st_mode & mode) == mode) return 0;
    return ErrnoOf(fchmod(fd, (st.st_mode & 07777) | mode));
  }

  int RestoreFolderMode(const Located& at, uint32_t mode) const {
    struct stat st;
    if (fstatat(at.folder, at.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno;
    }
    if ((st.st_mode & mode) == mode) return 0;
    // The umask may have taken the right to open it, so it is named by a
    // descriptor that needs none, and cannot be another folder by now.
    const Descriptor fd(openat(at.folder, at.name.c_str(),
                               O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd.get() < 0) return errno;
    const std::string path = absl::StrCat("/proc/self/fd/", fd.get());
    return ErrnoOf(chmod(path.c_str(), (st.st_mode & 07777) | mode));
  }

  static IoResult<std::vector<DirectoryEntry>> ReadEntries(DIR* folder) {
    using Result = IoResult<std::vector<DirectoryEntry>>;
    std::vector<DirectoryEntry> entries;
    while (true) {
      errno = 0;
      const dirent* entry = readdir(folder);
      if (entry == nullptr) {
        if (errno == EINTR) continue;
        if (errno != 0) return Result::Failed(errno);
        return {0, std::move(entries)};
      }
      const absl::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat st;
      if (entry->d_type != DT_UNKNOWN) {
        st.st_mode = DTTOIF(entry->d_type);
      } else if (fstatat(dirfd(folder), entry->d_name, &st,
                         AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;  // gone since
        return Result::Failed(errno);
      }
      entries.push_back({std::string(name), TypeOf(st.st_mode)});
    }
  }

  Descriptor root_;
};

}  // namespace

FileSystem* FileSystem::Posix() {
  static FileSystem* const posix = new PosixFileSystem(-1);
  return posix;
}

namespace {

// `write(bytes)` is a call that may take less than it is given.
template <typename Write>
int WriteWhole(absl::string_view bytes, Write write) {
  while (!bytes.empty()) {
    const IoResult<size_t> written = write(bytes);
    if (!written.ok()) return written.error;
    if (written.value == 0) return EIO;
    bytes.remove_prefix(written.value);
  }
  return 0;
}

}  // namespace

int WriteAll(File& file, absl::string_view bytes) {
  return WriteWhole(bytes,
                    [&](absl::string_view rest) { return file.Write(rest); });
}

int WriteAllAt(File& file, uint64_t offset, absl::string_view bytes) {
  const uint64_t end = offset + bytes.size();
  return WriteWhole(bytes, [&](absl::string_view rest) {
    return file.WriteAt(end - rest.size(), rest);
  });
}

IoResult<size_t> ReadUpToAt(File& file, uint64_t offset,
                            absl::Span<char> buffer) {
  size_t have = 0;
  while (have < buffer.size()) {
    const IoResult<size_t> got =
        file.ReadAt(offset + have, buffer.subspan(have));
    if (!got.ok()) return got;
    if (got.value == 0) break;
    have += got.value;
  }
  return {0, have};
}

}  // namespace sluice
