#ifndef SLUICE_BASE_TESTING_FAULT_FILE_SYSTEM_H_
#define SLUICE_BASE_TESTING_FAULT_FILE_SYSTEM_H_

// A file system whose calls can be made to fail, one after the other.
//
// A FaultPlan counts the calls of all the file systems that share it, and
// strikes the n-th. A first run without a fault tells how many calls there are;
// then each of them fails in turn:
//
//   FaultPlan plan;
//   FaultFileSystem files(FileSystem::Posix(), &plan);
//   RunTheThing(&files);
//   const int64_t calls = plan.calls();
//   for (int64_t n = 1; n <= calls; ++n) {
//     plan.Reset();
//     plan.StrikeAt(n, Fault::Error(EIO));
//     RunTheThing(&files);
//     EXPECT_TRUE(plan.struck());
//   }
//
// With Fault::Kill the process dies by SIGKILL before or after the call: run
// the thing in a forked child. A Fault::Call runs any function instead.
//
// FaultPlan and FaultFileSystem are thread-safe, calls are counted in the order
// in which they begin. Files may outlive the file system, not the plan. Test
// code only.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/base/mutex.h"

namespace sluice {

enum class FileOp {
  kOpen,
  kRead,
  kReadAt,
  kWrite,
  kWriteAt,
  kTruncate,
  kSync,
  kFileStat,
  kSeek,
  kClose,
  kRename,
  kRenameNoReplace,
  kLink,
  kUnlink,
  kMakeDirectory,
  kRemoveDirectory,
  kSyncDirectory,
  kStat,
  kList,
  kBeneath,
  kLargestFile,
  kSyncFileSystem,
};
absl::string_view FileOpName(FileOp op);
// Whether the call changes anything, or makes a change durable.
bool IsChange(FileOp op);

struct FileCall {
  int64_t number = 0;  // 1 is the first that was counted
  FileOp op = FileOp::kOpen;
  std::string path;  // of a rename or link: the old name
  std::string to;    // of a rename or link: the new name
  uint64_t bytes = 0;
};

struct Fault {
  enum class Kind {
    kErrorBefore,  // nothing was done, and `error` is answered
    kErrorAfter,   // all was done, and `error` is answered: a lost answer
    kShort,        // write: half of the bytes (0 of 1: passes); others pass
    kBefore,       // `hook` runs, then the call
    kAfter,        // the call, then `hook` runs
  };
  Kind kind = Kind::kErrorBefore;
  int error = 0;
  std::function<void(const FileCall&)> hook = nullptr;

  static Fault Error(int error) { return {Kind::kErrorBefore, error}; }
  static Fault LostAnswer(int error) { return {Kind::kErrorAfter, error}; }
  static Fault ShortWrite() { return {Kind::kShort, 0}; }
  static Fault Call(Kind when, std::function<void(const FileCall&)> hook) {
    return {when, 0, std::move(hook)};
  }
  // kBefore or kAfter.
  static Fault Kill(Kind when);
};

class FaultPlan {
 public:
  // Counts from 1 again, with no fault and an empty trace. Filter stays.
  void Reset();

  // The n-th counted call meets `fault`. Several may be set.
  void StrikeAt(int64_t n, Fault fault);
  // So does every counted call from the n-th on: a disk that stays full.
  void StrikeFrom(int64_t n, Fault fault);
  // Only calls that `filter` takes are counted, traced and struck; counts from
  // 1 again.
  void SetFilter(std::function<bool(const FileCall&)> filter);

  int64_t calls() const;
  // Whether a fault has met a call that it applies to.
  bool struck() const;
  std::vector<FileCall> trace() const;

 private:
  friend class FaultGate;
  // The fault for this call; numbers the call.
  Fault Next(FileCall& call, bool& strikes);

  mutable Mutex mutex_;
  std::function<bool(const FileCall&)> filter_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<int64_t, Fault>> at_ ABSL_GUARDED_BY(mutex_);
  int64_t from_ ABSL_GUARDED_BY(mutex_) = 0;
  Fault from_fault_ ABSL_GUARDED_BY(mutex_);
  bool struck_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<FileCall> trace_ ABSL_GUARDED_BY(mutex_);
};

class FaultFileSystem final : public FileSystem {
 public:
  // Owns neither.
  FaultFileSystem(FileSystem* inner, FaultPlan* plan)
      : inner_(inner), plan_(plan) {}
  // Owns `inner`.
  FaultFileSystem(std::unique_ptr<FileSystem> inner, FaultPlan* plan)
      : owned_(std::move(inner)), inner_(owned_.get()), plan_(plan) {}

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

 private:
  const std::unique_ptr<FileSystem> owned_;
  FileSystem* const inner_;
  FaultPlan* const plan_;
};

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_FAULT_FILE_SYSTEM_H_
