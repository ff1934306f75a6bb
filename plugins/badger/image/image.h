#ifndef SLUICE_PLUGINS_BADGER_IMAGE_IMAGE_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_IMAGE_H_

// A Badger directory that nobody writes: every stored version of every key, in
// bounded memory, nothing of it believed unverified. Format 8 (Badger 3 and 4)
// and 7 (Badger 2). See docs/format/badger.md.
//
//   ImageOptions options;
//   options.folder = "/srv/app/db";
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Image> image,
//                           Image::Open(*FileSystem::Posix(), options));
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<VersionReader> versions,
//                           image->ReadVersions());
//   while (versions->Valid()) {
//     SLUICE_RETURN_IF_ERROR(versions->ReadValue(value));
//     SLUICE_RETURN_IF_ERROR(versions->Next());
//   }
//
// It takes no lock and writes nothing: keeping writers away is the caller's.
// Opened by one thread; then each of its readers is used by one, several of
// them at once. Memory: what the logs to replay hold (log_index.h), and for
// each reader a table's index for each level and each table of level 0, a block
// for each.
//
// Where Badger would quietly drop what it cannot read at the end of a log, this
// refuses, unless it is told otherwise: half a record looks like damage, and
// damage like half a record. A log that was cut between two records cannot be
// told from one that was never longer: it is read as the earlier state that it
// is.
//
// Errors: source_unavailable where there is no directory, no database in it, or
// a file that cannot be read; source_config_invalid for a key of a wrong size;
// source_failed for damage, with the file and, of a value, key and version;
// source_wrong_key, source_permission_denied, source_unsupported as they say.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/image/image_files.h"
#include "sluice/plugins/badger/image/level_source.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/image/log_index.h"
#include "sluice/plugins/badger/image/value_logs.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

struct LaterLog {
  std::string name;
  uint64_t bytes = 0;
};

struct ImageOptions {
  std::string folder;
  std::string value_folder;  // empty: `folder`
  std::string shown_folder;  // what errors name; empty: `folder`
  std::string master_key;    // 16, 24 or 32 bytes; empty: not encrypted
  // Drop what cannot be read at the end of MANIFEST and of logs, as Badger
  // does when it opens the directory. Danger: damage there is then not seen.
  bool drop_unreadable_ends = false;
  // For the logs to replay, see log_index.h: beyond so many bytes of keys, they
  // go to a folder that is asked for then; null: it is an error.
  size_t max_log_index_bytes = size_t{256} << 20;
  LogIndex::Scratch log_scratch = nullptr;
  // Value logs that are not in the folder, by number, and what brings or opens
  // one when it is first read. Null: there are none.
  std::map<uint32_t, LaterLog> later_logs;
  LogFetch fetch_log = nullptr;
  // Of all value logs those that the database itself no longer has: values are
  // read from them, and nothing is replayed.
  std::set<uint32_t> gone_logs;
  // No value log changes or goes away as long as the image is open, and each is
  // the one that the tables speak of.
  bool logs_stay = false;
  // Badger's own keys (!badger!…) are versions, too.
  bool show_internal_keys = false;
};

// One table, as MANIFEST and its index have it.
struct TableSummary {
  ManifestTable listed;
  uint64_t file_bytes = 0;
  uint64_t blocks = 0;
  uint64_t keys = 0;         // entries; 0 in format 7
  uint64_t max_version = 0;  // 0 in format 7
  std::string first_key;     // internal
};

// One log that is replayed.
struct LogSummary {
  std::string name;
  uint64_t file_bytes = 0;
  LogEnd end;
};

struct ImageSummary {
  uint16_t manifest_version = 0;
  uint16_t external_magic = 0;
  uint64_t data_keys = 0;
  // Whether a table or a log to replay is encrypted, or data keys are there.
  bool is_encrypted = false;
  std::vector<TableSummary> tables;  // by number
  std::vector<LogSummary> replayed;  // in the order of replay
  uint64_t value_logs = 0;
  uint64_t value_log_bytes = 0;
  // Of the tables and the logs to replay.
  uint64_t max_version = 0;
  std::vector<std::string> warnings;
};

class Image {
 public:
  // Reads and verifies MANIFEST, KEYREGISTRY, each table's index and the logs
  // that are to be replayed.
  static absl::StatusOr<std::unique_ptr<Image>> Open(
      FileSystem& file_system, const ImageOptions& options);

  // The place in the value logs behind which a directory of format 7 is to be
  // replayed, by its tables: of a directory whose logs are not read.
  static absl::StatusOr<ValuePointer> HeadOf(FileSystem& file_system,
                                             const ImageOptions& options);

  const ImageSummary& summary() const { return summary_; }

  // At the first version of `range`. It borrows the image.
  absl::StatusOr<std::unique_ptr<VersionReader>> ReadVersions(
      KeyRange range = {}) const;

  // The entries of table `i` of summary(), by themselves. It borrows the image.
  absl::StatusOr<std::unique_ptr<TableSource>> ReadTable(size_t i) const;
  // The namespaces that DB.BanNamespace took away, ascending; a key does not
  // say where in it its namespace is. None in format 7.
  absl::StatusOr<std::vector<uint64_t>> BannedNamespaces() const;

  // The logs that were replayed.
  const LogIndex& logs() const { return log_index_; }

  // Up to `count` ranges, at least one, that hold all keys between them, and
  // about as many bytes of tables each. One where tables lie about that
  // MANIFEST never named: what these show, only a reader of all keys can tell.
  std::vector<KeyRange> SplitKeys(int count) const;

 private:
  explicit Image(const ImageOptions& options)
      : options_(options),
        log_index_(options.max_log_index_bytes, options.log_scratch) {}

  absl::Status OpenTables(FileSystem& file_system);
  absl::Status OpenFolders(FileSystem& file_system);
  absl::Status ReadManifest();
  absl::Status ReadKeys();
  absl::Status CheckTables();
  absl::Status FindStrayTables();
  absl::Status OpenStrayTable(uint64_t id);
  absl::StatusOr<std::unique_ptr<Table>> OpenTable(
      const ManifestTable& listed) const;
  absl::Status ReplayMemtables();
  absl::Status ReplayFromHead();
  using LogNames = std::map<uint32_t, std::string>;
  absl::StatusOr<LogNames> LogsFrom(uint32_t first) const;
  absl::StatusOr<ValuePointer> FindHead();
  absl::Status Replay(std::unique_ptr<RandomFile> file, uint64_t start,
                      bool may_be_short);
  absl::Status AcceptEnd(const LogFile& log, const LogEnd& end);
  // The listed tables as sources, the newest first.
  absl::StatusOr<std::vector<std::unique_ptr<EntrySource>>> TableSources()
      const;
  // Those, the logs before them, and behind them the stray tables.
  absl::StatusOr<VersionReader::Sources> AllSources() const;

  const ImageOptions options_;
  std::unique_ptr<FileSystem> folder_;
  std::unique_ptr<FileSystem> value_folder_;
  ImageFiles files_;
  Manifest manifest_;
  KeyRegistry keys_;
  std::vector<std::unique_ptr<LogFile>> logs_;
  LogIndex log_index_;
  // Tables that MANIFEST never named, see docs/format/badger.md.
  std::vector<ManifestTable> stray_;
  ImageSummary summary_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_IMAGE_H_
