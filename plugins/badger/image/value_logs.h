#ifndef SLUICE_PLUGINS_BADGER_IMAGE_VALUE_LOGS_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_VALUE_LOGS_H_

// The value logs of a directory: a version's value by what its entry says.
//
//   ValueLogs logs(folder, keys, {{1, "000001.vlog"}});
//   std::string value;
//   SLUICE_RETURN_IF_ERROR(logs.Resolve(key, stored, value));
//
// A log may be had as late as it is first read, see LogFetch.
//
// One thread. Keeps kMaxOpenLogs files open, and one record in memory. Errors:
// Dangling where the value's log, or its place in it, is not there; else
// source_failed. Both name key and version.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

// Called before a value log is opened: opens it where it lies elsewhere, or
// answers null and has seen to it that it lies in its folder. Any thread.
using LogFetch =
    std::function<absl::StatusOr<std::unique_ptr<RandomFile>>(uint32_t number)>;

// Where `fetch` is null, all lie in `folder`.
absl::StatusOr<std::unique_ptr<RandomFile>> OpenValueLog(
    FileSystem& folder, const LogFetch& fetch, uint32_t number,
    const std::string& name);

// Whether the record under a pointer, by its key as it is stored, is the
// version that points to it. Badger 2 stores a value that its collector moved
// under the moved key.
bool IsRecordOf(const InternalKey& wanted, absl::string_view stored_key);

class ValueLogs {
 public:
  static constexpr size_t kMaxOpenLogs = 64;

  // Borrows `folder` and `keys`. `names`: by number. `fetch`: null where all
  // are there.
  ValueLogs(FileSystem& folder, const KeyRegistry& keys,
            std::map<uint32_t, std::string> names, LogFetch fetch = nullptr);

  // Replaces `value` by that of `stored`, which was found under `key`.
  absl::Status Resolve(const InternalKey& key, const StoredValue& stored,
                       std::string& value);

  // The shortest value that a pointer led to so far; 0: none did. What was not
  // put into the tables for its length: the database's ValueThreshold, or more.
  uint64_t shortest_value() const { return shortest_value_; }
  void SawValue(uint64_t bytes) {
    if (shortest_value_ == 0 || bytes < shortest_value_) {
      shortest_value_ = std::max<uint64_t>(bytes, 1);
    }
  }

  // Lives until the next call. See value_batch.h, which reads many at once.
  absl::StatusOr<const LogFile*> Find(uint32_t number);

 private:
  absl::Status Follow(const InternalKey& key, absl::string_view pointer,
                      std::string& value);

  FileSystem& folder_;
  const KeyRegistry& keys_;
  const std::map<uint32_t, std::string> names_;
  const LogFetch fetch_;
  std::map<uint32_t, std::unique_ptr<LogFile>> open_;
  std::list<uint32_t> used_;  // open ones, oldest use of Find first
  std::string record_;
  uint64_t shortest_value_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_VALUE_LOGS_H_
