#ifndef SLUICE_PLUGINS_BADGER_LIVE_HELD_LOGS_H_
#define SLUICE_PLUGINS_BADGER_LIVE_HELD_LOGS_H_

// Value logs of Badger 2 that another process may delete meanwhile, kept by
// their open descriptors instead of a copy. It appends to a log and, once that
// is closed, only unlinks it, where Badger 4 cuts it to nothing first: what a
// descriptor shows up to a length once seen stays. docs/format/badger.md.
//
//   HeldLogs logs(value_folder, /*max_logs=*/512);
//   SLUICE_ASSIGN_OR_RETURN(const bool held, logs.Hold(7, "000007.vlog"));
//   if (held) logs.Limit(7, end_of_last_transaction);
//   std::unique_ptr<RandomFile> log = logs.Open(7);
//
// The disk gets the room of a deleted log back when the holder goes. Thread-
// safe; the files that Open gives are for one thread each, and share one
// descriptor. Errors: Changed (live_file.h) where there is no log, or an empty
// one, and none was held; source_unavailable where it cannot be opened.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/badger/live/live_file.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

class HeldLogs {
 public:
  struct Log {
    std::string name;
    std::string header;  // the first bytes, see LiveCopy::Logs
    uint64_t bytes = 0;  // of it that count
  };

  // Borrows `folder`.
  HeldLogs(FileSystem& folder, size_t max_logs)
      : folder_(folder), max_logs_(max_logs) {}

  // Keeps the log as long as it is now, also one that is held already and has
  // been deleted; one that took its number takes its place. False where there
  // are too many.
  absl::StatusOr<bool> Hold(uint32_t number, const std::string& name);
  // The first `bytes` bytes of it count.
  void Limit(uint32_t number, uint64_t bytes);
  void Forget(uint32_t number);

  // What counts of it; null where it is not held.
  std::unique_ptr<RandomFile> Open(uint32_t number) const;
  // All that are held, by number.
  std::map<uint32_t, Log> logs() const;

  // That each is still the one that was held, and no shorter than what counts:
  // a program that is not Badger may write into a file that is there.
  absl::Status Check() const;

 private:
  struct Held {
    Log log;
    std::shared_ptr<File> file;
  };

  FileSystem& folder_;
  const size_t max_logs_;
  mutable Mutex mutex_;
  std::map<uint32_t, Held> held_ ABSL_GUARDED_BY(mutex_);
};

// How many a process may well hold: half of the files that it may open.
size_t MaxHeldLogs();

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_HELD_LOGS_H_
