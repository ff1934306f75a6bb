#ifndef SLUICE_PLUGINS_BADGER_FORMAT_ENTRY_SOURCE_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_ENTRY_SOURCE_H_

// One sorted run of entries: a table, a level of tables, the logs that are
// replayed. A merge of these is the store.
//
//   for (absl::Status status = source.Seek(""); status.ok() && source.Valid();
//        status = source.Next()) {
//     Use(source.key(), source.value());
//   }
//
// One thread. What key() and value() show lives until the next call of Seek or
// Next. After an error a source is not used again.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry.h"

namespace sluice {
namespace badger {

class LogFile;

// An entry's value, as it is found with its key.
struct StoredValue {
  uint8_t meta = 0;
  uint8_t user_meta = 0;
  uint64_t expires_at = 0;
  // The value, or a ValuePointer where meta says so, unless `log` is set: then
  // that is what the record at `place` of `log` holds.
  absl::string_view bytes;
  const LogFile* log = nullptr;
  ValuePointer place;

  bool is_pointer() const { return (meta & kMetaValuePointer) != 0; }
  // Whether `bytes` are the value.
  bool is_here() const { return log == nullptr && !is_pointer(); }
  // Whether a log that is replayed holds the value itself.
  bool is_replayed() const { return log != nullptr && !is_pointer(); }
  // Whether `bytes` say where in a value log it is.
  bool is_in_value_log() const { return log == nullptr && is_pointer(); }
};

class EntrySource {
 public:
  virtual ~EntrySource() = default;

  // To the first entry whose key is `user_key` or above.
  virtual absl::Status Seek(absl::string_view user_key) = 0;
  virtual absl::Status Next() = 0;
  // Whether there is an entry here. False after the last.
  virtual bool Valid() const = 0;

  virtual InternalKey key() const = 0;
  virtual StoredValue value() const = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_ENTRY_SOURCE_H_
