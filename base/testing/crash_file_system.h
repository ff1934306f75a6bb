#ifndef SLUICE_BASE_TESTING_CRASH_FILE_SYSTEM_H_
#define SLUICE_BASE_TESTING_CRASH_FILE_SYSTEM_H_

// A file system in memory that knows what a power cut may take away.
//
// It keeps the contents of files and the entries of folders apart, as disks do:
// File::Sync makes a file's bytes durable and not its name, SyncDirectory the
// names and not the bytes; File::SyncFileSystem both, of all. Every change is
// traced; afterwards each state that a power cut could have left is mounted in
// turn and looked at (crash_states.h says which those are):
//
//   CrashFileSystem disk;
//   Publish(&disk);
//   disk.Mark("published");              // a promise: from here on it holds
//   auto count = disk.ForEachCrash({}, [&](CrashedDisk& crashed) {
//     EXPECT_TRUE(Recovers(crashed.Mount().get())) << crashed.text();
//     if (crashed.marks() > 0) { ... the publish must be there ... }
//     return true;
//   });
//
// With DropSync(n) the n-th sync does nothing and says that it did: a test that
// does not notice for some n has a sync too many, or looks at too little.
//
// Paths: absolute, or relative to "/", which exists. No symlinks, no
// permissions. Thread-safe, but crashed disks share contents with each other
// and with the first: one thread for all of them. Files and Beneath() may
// outlive it. Test code only.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_states.h"
#include "sluice/base/testing/crash_trace.h"

namespace sluice {

class CrashedDisk;

class CrashFileSystem final : public FileSystem {
 public:
  // Times of files come from `clock`, if given, else they count up. Not owned.
  explicit CrashFileSystem(Clock* clock = nullptr);
  // With `tree` on it, all durable.
  CrashFileSystem(CrashTree tree, Clock* clock);

  IoResult<std::unique_ptr<File>> Open(const std::string& path, int flags,
                                       uint32_t mode) override;
  int Rename(const std::string& from, const std::string& to) override;
  int RenameNoReplace(const std::string& from, const std::string& to) override;
  int Link(const std::string& from, const std::string& to) override;
  int Unlink(const std::string& path) override;
  int MakeDirectory(const std::string& path, uint32_t mode) override;
  int RemoveDirectory(const std::string& path) override;
  int SyncDirectory(const std::string& path) override;
  IoResult<FileInfo> Stat(const std::string& path) override;
  IoResult<std::vector<DirectoryEntry>> List(const std::string& path) override;
  IoResult<std::unique_ptr<FileSystem>> Beneath(
      const std::string& folder) override;
  IoResult<uint64_t> LargestFile(const std::string& path) override;

  // From here on a promise holds.
  void Mark(absl::string_view promise);
  // Syncs so far: of files, of folders, of all.
  int64_t syncs() const;
  // The n-th sync (from 1) answers 0 and syncs nothing.
  void DropSync(int64_t n);
  // The n-th sync answers EIO. Bytes of a file that were unsynced then are
  // never made durable, whatever is synced later.
  void FailSync(int64_t n);
  // Forgets the trace: all that is there now is durable. Counts syncs from 1.
  void Settle();

  std::vector<CrashEvent> trace() const;
  // Visits each crash state of the trace so far until `visit` says false.
  CrashStateCount ForEachCrash(
      const CrashStateOptions& options,
      absl::FunctionRef<bool(const CrashedDisk&)> visit) const;

 private:
  friend class CrashFile;
  class Disk;
  CrashFileSystem(std::shared_ptr<Disk> disk, uint64_t root, bool beneath);

  const std::shared_ptr<Disk> disk_;
  const uint64_t root_;
  const bool beneath_;
};

// One state that a power cut left.
class CrashedDisk {
 public:
  CrashedDisk(const CrashStateView& view, Clock* clock)
      : view_(view), clock_(clock) {}

  // A fresh disk in this state; as many as wanted.
  std::unique_ptr<CrashFileSystem> Mount() const {
    return std::make_unique<CrashFileSystem>(view_.tree, clock_);
  }
  // Events that had happened, promises that had been made.
  size_t point() const { return view_.point; }
  size_t marks() const { return view_.marks; }
  const std::string& text() const { return view_.text; }

 private:
  const CrashStateView& view_;
  Clock* const clock_;
};

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_CRASH_FILE_SYSTEM_H_
