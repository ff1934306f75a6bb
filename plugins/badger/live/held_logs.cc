#include "sluice/plugins/badger/live/held_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/read_only_file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

// One of several files over one descriptor, for reads by position: these have
// no state that the others see.
class SharedFile final : public ReadOnlyFile {
 public:
  explicit SharedFile(std::shared_ptr<File> inner) : inner_(std::move(inner)) {}

  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    return inner_->ReadAt(offset, buffer);
  }
  int NativeDescriptor() const override { return inner_->NativeDescriptor(); }
  IoResult<FileInfo> Stat() override { return inner_->Stat(); }

 private:
  const std::shared_ptr<File> inner_;
};

}  // namespace

absl::StatusOr<bool> HeldLogs::Hold(uint32_t number, const std::string& name) {
  MutexLock lock(mutex_);
  const bool is_held = held_.count(number) > 0;
  if (!is_held && held_.size() >= max_logs_) return false;
  auto file = folder_.Open(name, O_RDONLY | O_NONBLOCK, 0);
  if (file.error == ENOENT && is_held) {
    // It may have grown after it was first held, and been closed since.
    const auto info = held_[number].file->Stat();
    if (!info.ok()) return SourceIoError("stat", name, info.error);
    held_[number].log.bytes = info.value.size;
    return true;
  }
  if (file.error == ENOENT) return Changed(name, "it went away");
  if (!file.ok()) return SourceIoError("open", name, file.error);
  const auto info = file.value->Stat();
  if (!info.ok()) return SourceIoError("stat", name, info.error);
  if (info.value.type != FileInfo::Type::kRegular) {
    return SourceIoError("open", name, EINVAL);
  }
  Held log = {{name, "", info.value.size},
              std::shared_ptr<File>(std::move(file.value))};
  if (log.log.bytes == 0) return Changed(name, "it was emptied");
  SLUICE_RETURN_IF_ERROR(
      RandomFile(std::make_unique<SharedFile>(log.file), name, log.log.bytes)
          .Read(0, std::min<uint64_t>(log.log.bytes, kLogHeaderBytes),
                log.log.header));
  held_[number] = std::move(log);
  return true;
}

void HeldLogs::Limit(uint32_t number, uint64_t bytes) {
  MutexLock lock(mutex_);
  const auto held = held_.find(number);
  if (held != held_.end()) held->second.log.bytes = bytes;
}

void HeldLogs::Forget(uint32_t number) {
  MutexLock lock(mutex_);
  held_.erase(number);
}

std::unique_ptr<RandomFile> HeldLogs::Open(uint32_t number) const {
  MutexLock lock(mutex_);
  const auto held = held_.find(number);
  if (held == held_.end()) return nullptr;
  return std::make_unique<RandomFile>(
      std::make_unique<SharedFile>(held->second.file), held->second.log.name,
      held->second.log.bytes);
}

std::map<uint32_t, HeldLogs::Log> HeldLogs::logs() const {
  MutexLock lock(mutex_);
  std::map<uint32_t, Log> logs;
  for (const auto& [number, held] : held_) logs[number] = held.log;
  return logs;
}

absl::Status HeldLogs::Check() const {
  for (const auto& [number, log] : logs()) {
    const std::unique_ptr<RandomFile> file = Open(number);
    std::string header;
    const absl::Status status = file->Read(0, log.header.size(), header);
    MutexLock lock(mutex_);
    const auto now = held_.at(number).file->Stat();
    if (now.ok() && status.ok() && now.value.size >= log.bytes &&
        header == log.header) {
      continue;
    }
    return WithRetryable(
        MakeError(absl::StatusCode::kUnavailable, kSourceFailed,
                  log.name + ": it was truncated or overwritten while read"),
        true);
  }
  return absl::OkStatus();
}

size_t MaxHeldLogs() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<size_t>(limit.rlim_cur) / 2;
}

}  // namespace badger
}  // namespace sluice
