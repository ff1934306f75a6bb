#include "sluice/base/testing/fault_file_system.h"

#include <signal.h>
#include <unistd.h>

#include <type_traits>
#include <utility>

#include "absl/types/span.h"

namespace sluice {
namespace {

bool IsWrite(FileOp op) {
  return op == FileOp::kWrite || op == FileOp::kWriteAt;
}

int ErrorOf(int result) { return result; }
template <typename T>
int ErrorOf(const IoResult<T>& result) {
  return result.error;
}

template <typename Result>
Result Failed(int error) {
  if constexpr (std::is_same_v<Result, int>) {
    return error;
  } else {
    return Result::Failed(error);
  }
}

}  // namespace

absl::string_view FileOpName(FileOp op) {
  constexpr absl::string_view kNames[] = {"open",           "read",
                                          "read_at",        "write",
                                          "write_at",       "truncate",
                                          "sync",           "file_stat",
                                          "seek",           "close",
                                          "rename",         "rename_no_replace",
                                          "link",           "unlink",
                                          "make_directory", "remove_directory",
                                          "sync_directory", "stat",
                                          "list",           "beneath",
                                          "largest_file",   "sync_file_system"};
  return kNames[static_cast<int>(op)];
}

bool IsChange(FileOp op) {
  switch (op) {
    case FileOp::kRead:
    case FileOp::kReadAt:
    case FileOp::kFileStat:
    case FileOp::kSeek:
    case FileOp::kStat:
    case FileOp::kList:
    case FileOp::kBeneath:
    case FileOp::kLargestFile:
      return false;
    default:
      return true;
  }
}

Fault Fault::Kill(Kind when) {
  return Call(when, [](const FileCall&) {
    kill(getpid(), SIGKILL);
    while (true) pause();  // other threads go on for a moment, this one not
  });
}

void FaultPlan::Reset() {
  MutexLock lock(mutex_);
  at_.clear();
  from_ = 0;
  struck_ = false;
  calls_ = 0;
  trace_.clear();
}

void FaultPlan::StrikeAt(int64_t n, Fault fault) {
  MutexLock lock(mutex_);
  at_.emplace_back(n, std::move(fault));
}

void FaultPlan::StrikeFrom(int64_t n, Fault fault) {
  MutexLock lock(mutex_);
  from_ = n;
  from_fault_ = std::move(fault);
}

void FaultPlan::SetFilter(std::function<bool(const FileCall&)> filter) {
  MutexLock lock(mutex_);
  filter_ = std::move(filter);
  calls_ = 0;
  trace_.clear();
}

int64_t FaultPlan::calls() const {
  MutexLock lock(mutex_);
  return calls_;
}

bool FaultPlan::struck() const {
  MutexLock lock(mutex_);
  return struck_;
}

std::vector<FileCall> FaultPlan::trace() const {
  MutexLock lock(mutex_);
  return trace_;
}

Fault FaultPlan::Next(FileCall& call, bool& strikes) {
  MutexLock lock(mutex_);
  strikes = false;
  if (filter_ != nullptr && !filter_(call)) return {};
  call.number = ++calls_;
  trace_.push_back(call);
  const Fault* fault = nullptr;
  for (const auto& [n, one] : at_) {
    if (n == call.number) fault = &one;
  }
  if (fault == nullptr && from_ > 0 && call.number >= from_) {
    fault = &from_fault_;
  }
  if (fault == nullptr) return {};
  if (fault->kind == Fault::Kind::kShort &&
      (!IsWrite(call.op) || call.bytes < 2)) {
    return {};
  }
  strikes = true;
  struck_ = true;
  return *fault;
}

// Where a call meets its fault.
class FaultGate {
 public:
  // `perform(bytes)` does the call; `bytes` is how many of a write.
  template <typename Perform>
  static auto Pass(FaultPlan* plan, FileCall call, Perform perform)
      -> decltype(perform(uint64_t{0})) {
    using Result = decltype(perform(uint64_t{0}));
    bool strikes = false;
    const Fault fault = plan->Next(call, strikes);
    if (!strikes) return perform(call.bytes);
    switch (fault.kind) {
      case Fault::Kind::kErrorBefore:
        return Failed<Result>(fault.error);
      case Fault::Kind::kErrorAfter: {
        Result result = perform(call.bytes);
        return ErrorOf(result) != 0 ? std::move(result)
                                    : Failed<Result>(fault.error);
      }
      case Fault::Kind::kShort:
        return perform(call.bytes / 2);
      case Fault::Kind::kBefore:
        fault.hook(call);
        return perform(call.bytes);
      case Fault::Kind::kAfter: {
        Result result = perform(call.bytes);
        fault.hook(call);
        return result;
      }
    }
    return Failed<Result>(0);  // not reached: all kinds are above
  }
};

namespace {

class FaultFile final : public File {
 private:
  template <typename Perform>
  auto Pass(FileOp op, uint64_t bytes, Perform perform) {
    return FaultGate::Pass(plan_, {0, op, path_, "", bytes}, perform);
  }

 public:
  FaultFile(std::unique_ptr<File> inner, std::string path, FaultPlan* plan)
      : inner_(std::move(inner)), path_(std::move(path)), plan_(plan) {}

  IoResult<size_t> Read(absl::Span<char> buffer) override {
    return Pass(FileOp::kRead, buffer.size(),
                [&](uint64_t) { return inner_->Read(buffer); });
  }
  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    return Pass(FileOp::kReadAt, buffer.size(),
                [&](uint64_t) { return inner_->ReadAt(offset, buffer); });
  }
  IoResult<size_t> Write(absl::string_view bytes) override {
    return Pass(FileOp::kWrite, bytes.size(), [&](uint64_t size) {
      return inner_->Write(bytes.substr(0, size));
    });
  }
  IoResult<size_t> WriteAt(uint64_t offset, absl::string_view bytes) override {
    return Pass(FileOp::kWriteAt, bytes.size(), [&](uint64_t size) {
      return inner_->WriteAt(offset, bytes.substr(0, size));
    });
  }
  int Truncate(uint64_t size) override {
    return Pass(FileOp::kTruncate, size,
                [&](uint64_t) { return inner_->Truncate(size); });
  }
  int Sync() override {
    return Pass(FileOp::kSync, 0, [&](uint64_t) { return inner_->Sync(); });
  }
  int SyncFileSystem() override {
    return Pass(FileOp::kSyncFileSystem, 0,
                [&](uint64_t) { return inner_->SyncFileSystem(); });
  }
  IoResult<FileInfo> Stat() override {
    return Pass(FileOp::kFileStat, 0, [&](uint64_t) { return inner_->Stat(); });
  }
  int Seek(uint64_t offset) override {
    return Pass(FileOp::kSeek, offset,
                [&](uint64_t) { return inner_->Seek(offset); });
  }
  int Close() override {
    return Pass(FileOp::kClose, 0, [&](uint64_t) { return inner_->Close(); });
  }

 private:
  const std::unique_ptr<File> inner_;
  const std::string path_;
  FaultPlan* const plan_;
};

}  // namespace

IoResult<std::unique_ptr<File>> FaultFileSystem::Open(const std::string& path,
                                                      int flags,
                                                      uint32_t mode) {
  using Result = IoResult<std::unique_ptr<File>>;
  return FaultGate::Pass(
      plan_, {0, FileOp::kOpen, path, "", 0}, [&](uint64_t) -> Result {
        Result file = inner_->Open(path, flags, mode);
        if (!file.ok()) return file;
        return {
            0, std::make_unique<FaultFile>(std::move(file.value), path, plan_)};
      });
}

int FaultFileSystem::Rename(const std::string& from, const std::string& to) {
  return FaultGate::Pass(plan_, {0, FileOp::kRename, from, to, 0},
                         [&](uint64_t) { return inner_->Rename(from, to); });
}

int FaultFileSystem::RenameNoReplace(const std::string& from,
                                     const std::string& to) {
  return FaultGate::Pass(
      plan_, {0, FileOp::kRenameNoReplace, from, to, 0},
      [&](uint64_t) { return inner_->RenameNoReplace(from, to); });
}

int FaultFileSystem::Link(const std::string& from, const std::string& to) {
  return FaultGate::Pass(plan_, {0, FileOp::kLink, from, to, 0},
                         [&](uint64_t) { return inner_->Link(from, to); });
}

int FaultFileSystem::Unlink(const std::string& path) {
  return FaultGate::Pass(plan_, {0, FileOp::kUnlink, path, "", 0},
                         [&](uint64_t) { return inner_->Unlink(path); });
}

int FaultFileSystem::MakeDirectory(const std::string& path, uint32_t mode) {
  return FaultGate::Pass(
      plan_, {0, FileOp::kMakeDirectory, path, "", 0},
      [&](uint64_t) { return inner_->MakeDirectory(path, mode); });
}

int FaultFileSystem::RemoveDirectory(const std::string& path) {
  return FaultGate::Pass(
      plan_, {0, FileOp::kRemoveDirectory, path, "", 0},
      [&](uint64_t) { return inner_->RemoveDirectory(path); });
}

int FaultFileSystem::SyncDirectory(const std::string& path) {
  return FaultGate::Pass(plan_, {0, FileOp::kSyncDirectory, path, "", 0},
                         [&](uint64_t) { return inner_->SyncDirectory(path); });
}

IoResult<FileInfo> FaultFileSystem::Stat(const std::string& path) {
  return FaultGate::Pass(plan_, {0, FileOp::kStat, path, "", 0},
                         [&](uint64_t) { return inner_->Stat(path); });
}

IoResult<std::vector<DirectoryEntry>> FaultFileSystem::List(
    const std::string& path) {
  return FaultGate::Pass(plan_, {0, FileOp::kList, path, "", 0},
                         [&](uint64_t) { return inner_->List(path); });
}

IoResult<std::unique_ptr<FileSystem>> FaultFileSystem::Beneath(
    const std::string& folder) {
  using Result = IoResult<std::unique_ptr<FileSystem>>;
  return FaultGate::Pass(plan_, {0, FileOp::kBeneath, folder, "", 0},
                         [&](uint64_t) -> Result {
                           Result beneath = inner_->Beneath(folder);
                           if (!beneath.ok()) return beneath;
                           return {0, std::make_unique<FaultFileSystem>(
                                          std::move(beneath.value), plan_)};
                         });
}

IoResult<uint64_t> FaultFileSystem::LargestFile(const std::string& path) {
  return FaultGate::Pass(plan_, {0, FileOp::kLargestFile, path, "", 0},
                         [&](uint64_t) { return inner_->LargestFile(path); });
}

}  // namespace sluice
