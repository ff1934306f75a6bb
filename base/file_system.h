#ifndef SLUICE_BASE_FILE_SYSTEM_H_
#define SLUICE_BASE_FILE_SYSTEM_H_

// The seam under everything of ours that touches files: the calls of POSIX one
// to one, so that a test can make each of them fail, kill the process before
// and after it, or forget what was not synced.
//
// FileSystem::Posix() is the machine's. base/testing/fault_file_system.h makes
// calls fail or die; base/testing/crash_file_system.h lives in memory and keeps
// only what was synced. Results are errno values, because what a caller says
// about ENOSPC is its own business.
//
// A call that a signal interrupts is repeated inside: none answers EINTR, and
// an implementation of a test's own must not either. Descriptors are
// close-on-exec.
//
// FileSystem is thread-safe; a File is for one thread at a time, and may
// outlive the FileSystem that opened it. Paths are absolute, or relative to the
// process's directory; any bytes but NUL.
//
// What a call gives belongs to the caller; what it takes is borrowed for the
// call. Costs are the kernel's: one system call for each, a few for List and
// SyncDirectory.
//
// Paths that are built from names of others go through Beneath.
//
// Example:
//
//   auto folder = FileSystem::Posix()->Beneath("/mnt/backups");
//   if (!folder.ok()) return ErrorFor(folder.error);
//   auto file = folder.value->Open("a/payload.bin", O_RDONLY, 0);

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace sluice {

// A value, or the errno that kept it from being. 0 is success.
template <typename T>
struct [[nodiscard]] IoResult {
  int error = 0;
  T value{};

  bool ok() const { return error == 0; }
  static IoResult Failed(int error) { return {error, T{}}; }
};

struct FileInfo {
  enum class Type { kRegular, kDirectory, kSymlink, kOther };
  Type type = Type::kOther;
  uint64_t size = 0;
  absl::Time modified;
  // Of content, name or mode (st_ctim): the one time that nobody can set, so
  // that a copy which keeps `modified` is as new here as it is. The epoch where
  // the file system does not keep it.
  absl::Time changed;
  uint32_t mode = 0;   // permission bits
  uint64_t links = 1;  // names that the file has
  uint64_t device = 0;
  uint64_t inode = 0;
};

struct DirectoryEntry {
  std::string name;
  FileInfo::Type type = FileInfo::Type::kOther;
};

class File {
 public:
  // Closes, if Close was not called; the result of that close is lost, so a
  // writer calls Close.
  virtual ~File() = default;

  // read(2), pread(2): may be short; 0 at the end.
  virtual IoResult<size_t> Read(absl::Span<char> buffer) = 0;
  virtual IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) = 0;
  // write(2), pwrite(2): may be short.
  virtual IoResult<size_t> Write(absl::string_view bytes) = 0;
  virtual IoResult<size_t> WriteAt(uint64_t offset,
                                   absl::string_view bytes) = 0;
  virtual int Truncate(uint64_t size) = 0;
  // fsync(2). After a failure the file's content is unknown: write it anew,
  // never sync again.
  virtual int Sync() = 0;
  // syncfs(2) of the file system that this file or folder is on: all that was
  // written there is durable, contents and names. One call in place of
  // thousands; but it flushes what other programs wrote, too. Tells of every
  // write that the file system has lost since *this file was opened*: open it
  // before the first write that it is to answer for. After a failure all that
  // was not synced before is unknown.
  //
  // ENOTSUP, and nothing done, where a lost write might not be told: before
  // Linux 5.8, and on other file systems than ext2 to 4, XFS, Btrfs, F2FS and
  // tmpfs (of FUSE and overlayfs it is known). Sync each file there.
  virtual int SyncFileSystem() = 0;
  // sync_file_range(SYNC_FILE_RANGE_WRITE): begins to bring what was written
  // there to the device and waits for none of it, so that a Sync at the end has
  // little left to wait for. Advice: it promises nothing, and takes no error
  // away from Sync.
  virtual void StartWriteback(uint64_t offset, uint64_t bytes) {}
  // For calls of the kernel's that take two files (copy_file_range(2)); -1
  // where there is none, or where a decorator wants to see every byte.
  // Borrowed.
  virtual int NativeDescriptor() const { return -1; }
  virtual IoResult<FileInfo> Stat() = 0;
  virtual int Seek(uint64_t offset) = 0;
  virtual int Close() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // open(2) with O_CLOEXEC added. `flags` as in <fcntl.h>. With O_EXCL a new
  // file gets all bits of `mode`, whatever the umask; else what the umask
  // leaves.
  virtual IoResult<std::unique_ptr<File>> Open(const std::string& path,
                                               int flags, uint32_t mode) = 0;
  virtual int Rename(const std::string& from, const std::string& to) = 0;
  // renameat2(RENAME_NOREPLACE): EEXIST where `to` exists, EINVAL where the
  // file system cannot.
  virtual int RenameNoReplace(const std::string& from,
                              const std::string& to) = 0;
  virtual int Link(const std::string& from, const std::string& to) = 0;
  virtual int Unlink(const std::string& path) = 0;
  // The folder gets all bits of `mode`, whatever the umask.
  virtual int MakeDirectory(const std::string& path, uint32_t mode) = 0;
  virtual int RemoveDirectory(const std::string& path) = 0;
  // open + fsync + close of a folder.
  virtual int SyncDirectory(const std::string& path) = 0;
  // lstat(2).
  virtual IoResult<FileInfo> Stat(const std::string& path) = 0;
  // Entries without "." and "..", in no order.
  virtual IoResult<std::vector<DirectoryEntry>> List(
      const std::string& path) = 0;

  // This file system seen from `folder` (opened now, symlinks followed): paths
  // are relative to it, "." is the folder itself, and none leads out of it. A
  // symlink on the way is ENOTDIR, as the last part of an opened path ELOOP;
  // ".." and an absolute path are EXDEV. It stays the same folder when a name
  // above it is changed. Thread-safe; may outlive this file system.
  virtual IoResult<std::unique_ptr<FileSystem>> Beneath(
      const std::string& folder) = 0;
  // The largest file that fits its format (FAT32: 4 GiB less a byte); 0: no
  // limit known.
  virtual IoResult<uint64_t> LargestFile(const std::string& path) = 0;

  // The machine's own. Never deleted.
  static FileSystem* Posix();
};

// Writes all of `bytes`, in as many calls as it takes. 0, or the errno of the
// call that failed; EIO for one that takes nothing. What was written before
// stays.
int WriteAll(File& file, absl::string_view bytes);
int WriteAllAt(File& file, uint64_t offset, absl::string_view bytes);

// Reads until `buffer` is full or the file ends; how much was read.
IoResult<size_t> ReadUpToAt(File& file, uint64_t offset,
                            absl::Span<char> buffer);

}  // namespace sluice

#endif  // SLUICE_BASE_FILE_SYSTEM_H_
