#ifndef SLUICE_PLUGINS_BADGER_RESTORE_VALUE_LOG_WRITER_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_VALUE_LOG_WRITER_H_

// Writes the value logs of a new directory: what is too long for its tables.
//
//   ValueLogWriter logs(folder, DiskFormat::kBadger4, bytes, owner);
//   SLUICE_ASSIGN_OR_RETURN(const ValuePointer place,
//                           logs.Add(entry, internal_key));
//   SLUICE_RETURN_IF_ERROR(logs.Finish());
//
// The last one has no record: Badger scans the newest when it opens the
// directory, and Badger 2 maps no more of it than twice its own file size.
//
// One thread. Memory: the file's buffer. Errors: those of restore_file.h.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/base/staged_files.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/restore/table_writer.h"
#include "sluice/plugins/badger/sort/restore_file.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

class ValueLogWriter {
 public:
  // Borrows `folder`. A log ends once it has `file_bytes`, at most 3 GiB: a
  // place in it has 32 bits.
  ValueLogWriter(FileSystem& folder, DiskFormat format, uint64_t file_bytes,
                 FileOwner owner);

  // The value of `entry`, whose key as it is stored is `internal_key`.
  absl::StatusOr<ValuePointer> Add(const StreamEntry& entry,
                                   absl::string_view internal_key);
  // Closes the log that is open. Then all that was added can be read.
  absl::Status Close();
  // Close, and the last log, where there is any other or the format has one
  // always (7).
  absl::Status Finish();

  // Of all logs, by number.
  const std::map<uint32_t, std::string>& names() const { return names_; }
  // After Finish: where the next record would be, length 0.
  ValuePointer end() const;

 private:
  absl::Status Open();

  FileSystem& folder_;
  const DiskFormat format_;
  const uint64_t file_bytes_;
  const FileOwner owner_;
  std::unique_ptr<OutputFile> file_;  // null: none is open
  std::map<uint32_t, std::string> names_;
  std::string front_;
};

// The 12 bytes that stand in a table for the value.
std::string ValuePointerBytes(const ValuePointer& pointer);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_VALUE_LOG_WRITER_H_
