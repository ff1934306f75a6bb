#ifndef SLUICE_PLUGINS_BADGER_RESTORE_DIRECTORY_WRITER_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_DIRECTORY_WRITER_H_

// Writes a Badger directory: sorted tables at one level, value logs with what
// is too long for these, and MANIFEST. Badger makes the other files when it
// opens it.
//
//   DirectoryWriter writer(folder, options);
//   for (...) SLUICE_RETURN_IF_ERROR(writer.Add(entry));
//   SLUICE_RETURN_IF_ERROR(writer.Finish());
//
// Entries are given in the order of CompareEntries, each (key, version) once;
// others are an internal error. All versions, tombstones and expiries are kept.
// In format 7 a table at level 0 has the head, from which Badger 2 learns the
// next version; it points to the last value log, which is empty. In format 8
// one has the banned namespaces.
//
// Each file is synced when it is closed; their names are not. Until Finish no
// MANIFEST is there, so no Badger takes the folder for a database.
//
// One thread. Memory: that of a table (table_writer.h). Errors: those of
// restore_file.h and table_writer.h.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"
#include "sluice/base/staged_files.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/image/level_source.h"
#include "sluice/plugins/badger/restore/table_writer.h"
#include "sluice/plugins/badger/restore/value_log_writer.h"
#include "sluice/plugins/badger/sort/restore_file.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

inline constexpr char kManifestName[] = "MANIFEST";

struct DirectoryOptions {
  TableOptions table;
  // A table ends at the first new key once it has so many bytes. Badger's own
  // are of 2 to 64 MiB.
  uint64_t table_bytes = uint64_t{64} << 20;
  // Badger's last one. An application that sets MaxLevels below 7 does not open
  // a directory with a table at a level that it does not have.
  uint32_t level = 6;
  // See manifest_writer.h.
  uint16_t external_magic = 0;
  // Namespaces that stay banned, ascending (format 8).
  std::vector<uint64_t> banned;
  // A value of so many bytes lies in a value log, as Badger's ValueThreshold
  // has it: a walk of keys alone need not read it.
  uint64_t value_threshold = UINT64_MAX;
  uint64_t value_log_bytes = uint64_t{1} << 30;  // Badger's own
  FileOwner owner;
  FileOwner log_owner;  // of value logs
};

class DirectoryWriter {
 public:
  // Borrows both, which are empty. `log_folder`: of the value logs; null:
  // `folder`.
  DirectoryWriter(FileSystem& folder, DirectoryOptions options,
                  FileSystem* log_folder = nullptr);

  // Whether `entry` comes after all that was added.
  bool Follows(const StreamEntry& entry) const;
  absl::Status Add(const StreamEntry& entry);
  // Closes the last table. There may be no further Add.
  absl::Status CloseTables();
  // CloseTables, if it was not called; then what else belongs to a directory,
  // MANIFEST last.
  absl::Status Finish();

  const std::vector<ManifestTable>& tables() const { return tables_; }
  // All that was added, as one sorted run. After CloseTables; borrows the
  // folder.
  std::unique_ptr<EntrySource> Entries() const;
  uint64_t entries() const { return entries_; }
  uint64_t max_version() const { return max_version_; }

 private:
  absl::Status OpenTable(const StreamEntry& first);
  absl::Status CloseTable();
  // A table at level 0, of Badger's own keys.
  absl::Status WriteInternalTable(absl::Span<const StreamEntry> entries);
  absl::Status WriteHead();
  absl::Status WriteBanned();
  absl::Status WriteFile(const std::string& name, absl::string_view bytes);

  FileSystem& folder_;
  FileSystem& log_folder_;
  const DirectoryOptions options_;
  ValueLogWriter logs_;
  std::unique_ptr<OutputFile> file_;    // of table_
  std::unique_ptr<TableWriter> table_;  // null: none is open
  std::vector<ManifestTable> tables_;
  std::vector<LevelSource::Member> members_;
  std::string last_key_;
  uint64_t last_version_ = 0;
  uint64_t entries_ = 0;
  uint64_t max_version_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_DIRECTORY_WRITER_H_
