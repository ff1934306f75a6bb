#include "sluice/plugins/badger/image/value_logs.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/image/image_files.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {

absl::StatusOr<std::unique_ptr<RandomFile>> OpenValueLog(
    FileSystem& folder, const LogFetch& fetch, uint32_t number,
    const std::string& name) {
  if (fetch != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<RandomFile> file, fetch(number));
    if (file != nullptr) return file;
  }
  return RandomFile::Open(folder, name);
}

bool IsRecordOf(const InternalKey& wanted, absl::string_view stored_key) {
  InternalKey stored;
  if (!ParseInternalKey(stored_key, stored) ||
      stored.version != wanted.version) {
    return false;
  }
  if (stored.user_key == wanted.user_key) return true;
  return absl::StartsWith(stored.user_key, kMovePrefix) &&
         stored.user_key.substr(kMovePrefix.size()) == wanted.user_key;
}

ValueLogs::ValueLogs(FileSystem& folder, const KeyRegistry& keys,
                     std::map<uint32_t, std::string> names, LogFetch fetch)
    : folder_(folder),
      keys_(keys),
      names_(std::move(names)),
      fetch_(std::move(fetch)) {}

absl::Status ValueLogs::Resolve(const InternalKey& key,
                                const StoredValue& stored, std::string& value) {
  absl::Status status;
  if (stored.log != nullptr) {
    LogRecord record;
    status = stored.log->Read(stored.place.offset, stored.place.size, record_,
                              record);
    if (status.ok() && !IsRecordOf(key, record.key)) {
      status = Damaged(stored.log->name(), "its records have changed");
    }
    if (status.ok() && stored.is_pointer()) {
      status = Follow(key, std::string(record.value), value);
    } else if (status.ok()) {
      value.assign(record.value.data(), record.value.size());
    }
  } else if (stored.is_pointer()) {
    status = Follow(key, stored.bytes, value);
  } else {
    value.assign(stored.bytes.data(), stored.bytes.size());
  }
  if (status.ok()) return status;
  return Annotate(status, absl::StrCat("value of ", Describe(key)));
}

absl::Status ValueLogs::Follow(const InternalKey& key,
                               absl::string_view pointer_bytes,
                               std::string& value) {
  ValuePointer pointer;
  if (!ParseValuePointer(pointer_bytes, pointer)) {
    return Damaged("value pointer",
                   absl::StrCat(pointer_bytes.size(), " bytes long"));
  }
  SLUICE_ASSIGN_OR_RETURN(const LogFile* log, Find(pointer.file));
  LogRecord record;
  SLUICE_RETURN_IF_ERROR(
      log->Read(pointer.offset, pointer.size, record_, record));
  if (!IsRecordOf(key, record.key)) {
    return Damaged(log->name(),
                   absl::StrCat("the record at byte ", pointer.offset,
                                " is of another key or version"));
  }
  SawValue(record.value.size());
  value.assign(record.value.data(), record.value.size());
  return absl::OkStatus();
}

absl::StatusOr<const LogFile*> ValueLogs::Find(uint32_t number) {
  const auto open = open_.find(number);
  if (open != open_.end()) return open->second.get();
  const auto name = names_.find(number);
  if (name == names_.end()) {
    const absl::Status status =
        Dangling(ValueLogFileName(number), "it is missing");
    if (!names_.empty()) return status;
    return WithHint(status,
                    "there are no value logs: value_dir=DIR names their "
                    "folder, where that is another one");
  }
  if (open_.size() >= kMaxOpenLogs) {
    open_.erase(used_.front());
    used_.pop_front();
  }
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<RandomFile> file,
                          OpenValueLog(folder_, fetch_, number, name->second));
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<LogFile> log,
                          LogFile::Create(std::move(file), keys_));
  used_.push_back(number);
  return (open_[number] = std::move(log)).get();
}

}  // namespace badger
}  // namespace sluice
