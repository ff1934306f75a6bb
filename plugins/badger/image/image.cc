#include "sluice/plugins/badger/image/image.h"

#include <fcntl.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/sort/merge.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {
namespace {

// More than Badger lets either grow to by far: it rewrites MANIFEST, and a data
// key is some 60 bytes in ten days.
constexpr uint64_t kMaxWholeFileBytes = uint64_t{64} << 20;

absl::StatusOr<std::string> ReadWhole(FileSystem& folder,
                                      const std::string& name) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<RandomFile> file,
                          RandomFile::Open(folder, name));
  if (file->size() > kMaxWholeFileBytes) {
    return Damaged(name, absl::StrCat(file->size(), " bytes long"));
  }
  std::string bytes;
  SLUICE_RETURN_IF_ERROR(file->Read(0, file->size(), bytes));
  return bytes;
}

absl::StatusOr<std::unique_ptr<FileSystem>> OpenFolder(
    FileSystem& file_system, const std::string& path) {
  auto folder = file_system.Beneath(path);
  if (folder.ok()) return std::move(folder.value);
  return SourceIoError("open", "folder", folder.error);
}

absl::Status WithEndHint(absl::Status status) {
  return WithHint(
      std::move(status),
      "half a record of a crash, or damage: Badger drops it when it "
      "opens the directory");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Image>> Image::Open(
    FileSystem& file_system, const ImageOptions& options) {
  std::unique_ptr<Image> image(new Image(options));
  const auto open = [&]() -> absl::Status {
    SLUICE_RETURN_IF_ERROR(image->OpenTables(file_system));
    SLUICE_RETURN_IF_ERROR(image->FindStrayTables());
    if (image->manifest_.version >= 8) return image->ReplayMemtables();
    return image->ReplayFromHead();
  };
  const absl::Status status = open();
  if (!status.ok()) {
    return Annotate(status, options.shown_folder.empty()
                                ? options.folder
                                : options.shown_folder);
  }
  image->log_index_.Sort();
  image->summary_.max_version =
      std::max(image->summary_.max_version, image->log_index_.max_version());
  return image;
}

absl::StatusOr<ValuePointer> Image::HeadOf(FileSystem& file_system,
                                           const ImageOptions& options) {
  Image image(options);
  SLUICE_RETURN_IF_ERROR(image.OpenTables(file_system));
  return image.FindHead();
}

absl::Status Image::OpenTables(FileSystem& file_system) {
  SLUICE_RETURN_IF_ERROR(OpenFolders(file_system));
  SLUICE_RETURN_IF_ERROR(ReadManifest());
  SLUICE_RETURN_IF_ERROR(ReadKeys());
  return CheckTables();
}

absl::Status Image::OpenFolders(FileSystem& file_system) {
  SLUICE_ASSIGN_OR_RETURN(folder_, OpenFolder(file_system, options_.folder));
  SLUICE_ASSIGN_OR_RETURN(files_, ListImageFiles(*folder_));
  const std::string& values =
      options_.value_folder.empty() ? options_.folder : options_.value_folder;
  auto value_folder = OpenFolder(file_system, values);
  if (!value_folder.ok()) return Annotate(value_folder.status(), values);
  value_folder_ = *std::move(value_folder);
  SLUICE_ASSIGN_OR_RETURN(ImageFiles value_files,
                          ListImageFiles(*value_folder_));
  files_.value_logs = std::move(value_files.value_logs);
  for (const auto& log : files_.value_logs) {
    const auto info = value_folder_->Stat(log.second);
    if (info.ok()) summary_.value_log_bytes += info.value.size;
  }
  for (const auto& [number, log] : options_.later_logs) {
    const bool is_new = files_.value_logs.emplace(number, log.name).second;
    if (is_new) summary_.value_log_bytes += log.bytes;
  }
  summary_.value_logs = files_.value_logs.size();
  return absl::OkStatus();
}

absl::Status Image::ReadManifest() {
  if (!files_.has_manifest) {
    return MakeError(absl::StatusCode::kNotFound, kSourceUnavailable,
                     "not a Badger database: MANIFEST is missing");
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadWhole(*folder_, "MANIFEST"));
  SLUICE_ASSIGN_OR_RETURN(manifest_, ParseManifest(bytes));
  if (manifest_.is_cut) {
    const std::string what =
        absl::StrCat("truncated record at byte ", manifest_.valid_bytes, " of ",
                     bytes.size());
    if (!options_.drop_unreadable_ends) {
      return WithEndHint(Damaged("MANIFEST", what));
    }
    summary_.warnings.push_back(absl::StrCat("MANIFEST: ", what));
  }
  summary_.manifest_version = manifest_.version;
  summary_.external_magic = manifest_.external_magic;
  return absl::OkStatus();
}

absl::Status Image::ReadKeys() {
  if (!files_.has_key_registry) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadWhole(*folder_, "KEYREGISTRY"));
  SLUICE_ASSIGN_OR_RETURN(keys_,
                          KeyRegistry::Parse(bytes, options_.master_key));
  summary_.data_keys = keys_.keys().size();
  summary_.is_encrypted = summary_.data_keys > 0;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Table>> Image::OpenTable(
    const ManifestTable& listed) const {
  const auto key = keys_.Find(listed.key_number);
  if (!key.ok()) return Annotate(key.status(), TableFileName(listed.id));
  return Table::Open(*folder_, listed, *key, manifest_.version);
}

absl::Status Image::CheckTables() {
  for (const auto& [id, listed] : manifest_.tables) {
    if (files_.tables.count(id) == 0) {
      return Damaged(TableFileName(id), "listed in MANIFEST, but missing");
    }
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Table> table,
                            OpenTable(listed));
    TableSummary summary;
    summary.listed = listed;
    summary.file_bytes = table->file_size();
    summary.blocks = table->index().size();
    summary.keys = table->index().key_count();
    summary.max_version = table->index().max_version();
    summary.first_key = std::string(table->index().BlockAt(0).key);
    summary_.max_version = std::max(summary_.max_version, summary.max_version);
    summary_.tables.push_back(std::move(summary));
  }
  return absl::OkStatus();
}

absl::Status Image::FindStrayTables() {
  for (const uint64_t id : files_.tables) {
    if (manifest_.tables.count(id) == 0 && manifest_.deleted.count(id) == 0) {
      SLUICE_RETURN_IF_ERROR(OpenStrayTable(id));
    }
  }
  return absl::OkStatus();
}

absl::Status Image::OpenStrayTable(uint64_t id) {
  // Only MANIFEST says how a table is encrypted and compressed: the checksums
  // inside tell when it was guessed right.
  std::vector<uint64_t> key_numbers;
  key_numbers.reserve(1 + keys_.keys().size());
  key_numbers.push_back(0);
  for (auto key = keys_.keys().rbegin(); key != keys_.keys().rend(); ++key) {
    key_numbers.push_back(key->first);
  }
  for (const uint64_t key_number : key_numbers) {
    for (const Compression compression :
         {Compression::kNone, Compression::kSnappy, Compression::kZstd}) {
      const ManifestTable guess = {id, 0, key_number, compression};
      const auto table = OpenTable(guess);
      if (!table.ok()) break;
      std::string plain;
      Block block;
      if ((*table)->ReadBlock(0, plain, block).ok()) {
        stray_.push_back(guess);
        return absl::OkStatus();
      }
    }
  }
  summary_.warnings.push_back(
      absl::StrCat(TableFileName(id),
                   ": MANIFEST does not list it and it cannot be read: half a "
                   "table of a crash, which Badger deletes"));
  return absl::OkStatus();
}

absl::Status Image::ReplayMemtables() {
  for (const auto& memtable : files_.memtables) {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<RandomFile> log,
                            RandomFile::Open(*folder_, memtable.second));
    SLUICE_RETURN_IF_ERROR(
        Replay(std::move(log), kLogHeaderBytes, /*may_be_short=*/true));
  }
  return absl::OkStatus();
}

absl::Status Image::ReplayFromHead() {
  SLUICE_ASSIGN_OR_RETURN(const ValuePointer head, FindHead());
  const uint64_t start =
      std::max<uint64_t>(uint64_t{head.offset} + head.size, kLogHeaderBytes);
  SLUICE_ASSIGN_OR_RETURN(const LogNames logs, LogsFrom(head.file));
  for (const auto& [number, name] : logs) {
    SLUICE_ASSIGN_OR_RETURN(
        std::unique_ptr<RandomFile> log,
        OpenValueLog(*value_folder_, options_.fetch_log, number, name));
    // The newest may be one that a crash left without its header.
    SLUICE_RETURN_IF_ERROR(Replay(std::move(log),
                                  number == head.file ? start : kLogHeaderBytes,
                                  number == logs.rbegin()->first));
  }
  return absl::OkStatus();
}

// Badger 2 begins with log 0 and counts up; its collector takes only what is
// before the head. A gap is lost writes, or a DropAll half-way.
absl::StatusOr<Image::LogNames> Image::LogsFrom(uint32_t first) const {
  LogNames logs;
  for (const auto& log : files_.value_logs) {
    const bool is_gone = options_.gone_logs.count(log.first) > 0;
    if (log.first >= first && !is_gone) logs.insert(log);
  }
  uint64_t expected = first;
  for (const auto& log : logs) expected += log.first == expected ? 1 : 0;
  const uint32_t last = logs.empty() ? 0 : logs.rbegin()->first;
  if (!logs.empty() && expected > last) return logs;
  if (logs.empty() && manifest_.tables.empty()) {
    // Badger makes MANIFEST first, and then log 0.
    return WithHint(
        MakeError(absl::StatusCode::kNotFound, kSourceUnavailable,
                  "no value log is there, and Badger 2 always has one"),
        "value_dir=DIR names the folder of the value log, where that is "
        "another "
        "one; or the database is only just being made");
  }
  return MissingLog(
      ValueLogFileName(static_cast<uint32_t>(expected)),
      last > first ? absl::StrCat("it is to be replayed, with all logs from ",
                                  first, " to ", last, ", and is missing")
                   : "needed for replay, but missing");
}

absl::StatusOr<std::vector<uint64_t>> Image::BannedNamespaces() const {
  std::vector<uint64_t> banned;
  if (manifest_.version < 8) return banned;
  SLUICE_ASSIGN_OR_RETURN(const VersionReader::Sources sources, AllSources());
  std::vector<EntrySource*> borrowed;
  for (size_t i = 0; i < sources.first_stray; ++i) {
    borrowed.push_back(sources.all[i].get());
  }
  Merge merge(std::move(borrowed));
  SLUICE_RETURN_IF_ERROR(merge.Seek(kBannedPrefix));
  while (merge.Valid() &&
         absl::StartsWith(merge.key().user_key, kBannedPrefix)) {
    const absl::string_view number =
        merge.key().user_key.substr(kBannedPrefix.size());
    if (number.size() != sizeof(uint64_t)) {
      return Damaged(Describe(merge.key()), "it names no namespace");
    }
    const uint64_t name = BigEndianAt(number, 0, sizeof(uint64_t));
    if (banned.empty() || banned.back() != name) banned.push_back(name);
    SLUICE_RETURN_IF_ERROR(merge.Next());
  }
  return banned;
}

absl::StatusOr<ValuePointer> Image::FindHead() {
  SLUICE_ASSIGN_OR_RETURN(const auto sources, TableSources());
  std::vector<EntrySource*> borrowed;
  borrowed.reserve(sources.size());
  for (const auto& source : sources) borrowed.push_back(source.get());
  Merge merge(std::move(borrowed));
  SLUICE_RETURN_IF_ERROR(merge.Seek(kHeadKey));
  ValuePointer head;
  if (!merge.Valid() || merge.key().user_key != kHeadKey) return head;
  summary_.max_version = std::max(summary_.max_version, merge.key().version);
  if (!ParseValuePointer(merge.values().front().bytes, head)) {
    return Damaged(kHeadKey, "it is not a value pointer");
  }
  return head;
}

absl::Status Image::Replay(std::unique_ptr<RandomFile> file, uint64_t start,
                           bool may_be_short) {
  const std::string name = file->name();
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<LogFile> log,
                          LogFile::Create(std::move(file), keys_));
  if (start > kLogHeaderBytes && start > log->size()) {
    return Damaged(name, absl::StrCat("the tables end at byte ", start,
                                      " of its ", log->size()));
  }
  if (log->size() < kLogHeaderBytes && !may_be_short) {
    return MissingLog(name, "needed for replay, but empty");
  }
  SLUICE_ASSIGN_OR_RETURN(const LogEnd end, log_index_.Add(*log, start));
  SLUICE_RETURN_IF_ERROR(AcceptEnd(*log, end));
  summary_.is_encrypted |= log->is_encrypted();
  summary_.replayed.push_back({name, log->size(), end});
  logs_.push_back(std::move(log));
  return absl::OkStatus();
}

absl::Status Image::AcceptEnd(const LogFile& log, const LogEnd& end) {
  const bool has_cut_header = log.size() > 0 && log.size() < kLogHeaderBytes;
  if (end.tail == LogTail::kEmpty && !has_cut_header) return absl::OkStatus();
  const std::string what = absl::StrCat("a record that cannot be read at byte ",
                                        end.record_end, " of ", log.size());
  if (!options_.drop_unreadable_ends) {
    return WithEndHint(Damaged(log.name(), what));
  }
  summary_.warnings.push_back(absl::StrCat(log.name(), ": ", what));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::unique_ptr<EntrySource>>> Image::TableSources()
    const {
  std::vector<std::unique_ptr<EntrySource>> sources;
  std::map<uint32_t, std::vector<LevelSource::Member>> levels;
  for (auto table = summary_.tables.rbegin(); table != summary_.tables.rend();
       ++table) {
    if (table->listed.level > 0) {
      levels[table->listed.level].push_back(
          {table->listed.id, table->first_key});
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Table> opened,
                            OpenTable(table->listed));
    sources.push_back(std::make_unique<TableSource>(std::move(opened)));
  }
  for (auto& level : levels) {
    sources.push_back(std::make_unique<LevelSource>(
        std::move(level.second),
        [this](uint64_t id) { return OpenTable(manifest_.tables.at(id)); }));
  }
  return sources;
}

absl::StatusOr<VersionReader::Sources> Image::AllSources() const {
  VersionReader::Sources sources;
  SLUICE_ASSIGN_OR_RETURN(sources.all, log_index_.Sources());
  sources.first_table = sources.all.size();
  SLUICE_ASSIGN_OR_RETURN(auto tables, TableSources());
  std::move(tables.begin(), tables.end(), std::back_inserter(sources.all));
  sources.first_stray = sources.all.size();
  for (const ManifestTable& stray : stray_) {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Table> opened, OpenTable(stray));
    sources.all.push_back(std::make_unique<TableSource>(std::move(opened)));
  }
  return sources;
}

absl::StatusOr<std::unique_ptr<VersionReader>> Image::ReadVersions(
    KeyRange range) const {
  SLUICE_ASSIGN_OR_RETURN(VersionReader::Sources sources, AllSources());
  VersionReader::Sources moves;
  if (manifest_.version < 8) {
    SLUICE_ASSIGN_OR_RETURN(moves, AllSources());
  }
  auto reader = std::make_unique<VersionReader>(
      std::make_unique<ValueLogs>(*value_folder_, keys_, files_.value_logs,
                                  options_.fetch_log),
      std::move(sources), std::move(moves), std::move(range),
      options_.show_internal_keys);
  SLUICE_RETURN_IF_ERROR(reader->Start());
  return reader;
}

absl::StatusOr<std::unique_ptr<TableSource>> Image::ReadTable(size_t i) const {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Table> table,
                          OpenTable(summary_.tables[i].listed));
  return std::make_unique<TableSource>(std::move(table));
}

std::vector<KeyRange> Image::SplitKeys(int count) const {
  std::map<std::string, uint64_t> bytes_from;  // by a table's first key
  uint64_t left = 0;
  for (const TableSummary& table : summary_.tables) {
    InternalKey first;
    ParseInternalKey(table.first_key, first);
    bytes_from[std::string(first.user_key)] += table.file_bytes;
    left += table.file_bytes;
  }
  std::vector<KeyRange> ranges(1);
  if (!stray_.empty()) return ranges;
  uint64_t taken = 0;
  for (const auto& [key, bytes] : bytes_from) {
    const uint64_t wanted = left / static_cast<uint64_t>(std::max(count, 1));
    if (count > 1 && taken > 0 && taken >= wanted && !key.empty()) {
      ranges.back().end = key;
      ranges.push_back({key, ""});
      left -= taken;
      taken = 0;
      --count;
    }
    taken += bytes;
  }
  return ranges;
}

}  // namespace badger
}  // namespace sluice
