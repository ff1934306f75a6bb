#include "sluice/plugins/badger/restore/directory_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/image/value_logs.h"
#include "sluice/plugins/badger/restore/manifest_writer.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint32_t kInternalLevel = 0;
constexpr uint64_t kBanVersion = 1;  // Badger's own

std::string InternalKeyOf(const StreamEntry& entry) {
  std::string key(entry.key);
  for (size_t i = kVersionBytes; i > 0; --i) {
    key.push_back(static_cast<char>(~entry.version >> (8 * (i - 1))));
  }
  return key;
}

// Entries of tables whose long values lie in logs, with these values.
class ResolvedSource final : public EntrySource {
 public:
  // Borrows `folder`.
  ResolvedSource(std::unique_ptr<EntrySource> tables, FileSystem& folder,
                 const std::map<uint32_t, std::string>& logs)
      : tables_(std::move(tables)), logs_(folder, keys_, logs) {}

  absl::Status Seek(absl::string_view user_key) override {
    SLUICE_RETURN_IF_ERROR(tables_->Seek(user_key));
    return Load();
  }
  absl::Status Next() override {
    SLUICE_RETURN_IF_ERROR(tables_->Next());
    return Load();
  }
  bool Valid() const override { return tables_->Valid(); }
  InternalKey key() const override { return tables_->key(); }
  StoredValue value() const override { return shown_; }

 private:
  absl::Status Load() {
    if (!Valid()) return absl::OkStatus();
    shown_ = tables_->value();
    if (!shown_.is_pointer()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(logs_.Resolve(key(), shown_, value_));
    shown_.bytes = value_;
    shown_.meta &= static_cast<uint8_t>(~kMetaValuePointer);
    return absl::OkStatus();
  }

  const std::unique_ptr<EntrySource> tables_;
  const KeyRegistry keys_;
  ValueLogs logs_;
  std::string value_;
  StoredValue shown_;
};

}  // namespace

DirectoryWriter::DirectoryWriter(FileSystem& folder, DirectoryOptions options,
                                 FileSystem* log_folder)
    : folder_(folder),
      log_folder_(log_folder == nullptr ? folder : *log_folder),
      options_(std::move(options)),
      logs_(log_folder_, options_.table.format, options_.value_log_bytes,
            options_.log_owner) {}

absl::Status DirectoryWriter::Add(const StreamEntry& entry) {
  if (!Follows(entry)) {
    // Tables that are not sorted are a directory that answers wrongly.
    return MakeError(absl::StatusCode::kInternal, kInternal,
                     "write tables: entries that do not ascend");
  }
  const bool same_key = entries_ > 0 && entry.key == last_key_;
  if (table_ != nullptr && !same_key &&
      table_->block_bytes() >= options_.table_bytes) {
    SLUICE_RETURN_IF_ERROR(CloseTable());
  }
  if (table_ == nullptr) SLUICE_RETURN_IF_ERROR(OpenTable(entry));
  if (!entry.deleted() && entry.value.size() >= options_.value_threshold) {
    SLUICE_ASSIGN_OR_RETURN(const ValuePointer place,
                            logs_.Add(entry, InternalKeyOf(entry)));
    const std::string pointer = ValuePointerBytes(place);
    StreamEntry stored = entry;
    stored.value = pointer;
    stored.meta |= kMetaValuePointer;
    SLUICE_RETURN_IF_ERROR(table_->Add(stored));
  } else {
    SLUICE_RETURN_IF_ERROR(table_->Add(entry));
  }
  if (!same_key) last_key_.assign(entry.key.data(), entry.key.size());
  last_version_ = entry.version;
  max_version_ = std::max(max_version_, entry.version);
  ++entries_;
  return absl::OkStatus();
}

bool DirectoryWriter::Follows(const StreamEntry& entry) const {
  if (entries_ == 0) return true;
  const int keys = entry.key.compare(last_key_);
  return keys > 0 || (keys == 0 && entry.version < last_version_);
}

absl::Status DirectoryWriter::OpenTable(const StreamEntry& first) {
  const uint64_t id = tables_.size() + 1;
  SLUICE_ASSIGN_OR_RETURN(
      file_, OutputFile::Create(folder_, TableFileName(id), options_.owner));
  table_ = std::make_unique<TableWriter>(
      options_.table, [file = file_.get()](absl::string_view bytes) {
        return file->Append(bytes);
      });
  ManifestTable listed;
  listed.id = id;
  listed.level = options_.level;
  listed.compression = options_.table.compression;
  tables_.push_back(listed);
  members_.push_back({id, InternalKeyOf(first)});
  return absl::OkStatus();
}

absl::Status DirectoryWriter::CloseTable() {
  SLUICE_RETURN_IF_ERROR(table_->Finish());
  table_ = nullptr;
  SLUICE_RETURN_IF_ERROR(file_->SyncAndClose());
  file_ = nullptr;
  return absl::OkStatus();
}

absl::Status DirectoryWriter::CloseTables() {
  if (table_ != nullptr) SLUICE_RETURN_IF_ERROR(CloseTable());
  return logs_.Close();
}

std::unique_ptr<EntrySource> DirectoryWriter::Entries() const {
  auto tables = std::make_unique<LevelSource>(
      members_,
      [folder = &folder_, tables = tables_,
       version = static_cast<int>(options_.table.format)](uint64_t id) {
        return Table::Open(*folder, tables[id - 1], nullptr, version);
      });
  if (logs_.names().empty()) return tables;
  return std::make_unique<ResolvedSource>(std::move(tables), log_folder_,
                                          logs_.names());
}

absl::Status DirectoryWriter::Finish() {
  SLUICE_RETURN_IF_ERROR(CloseTables());
  SLUICE_RETURN_IF_ERROR(logs_.Finish());
  if (options_.table.format == DiskFormat::kBadger2 && entries_ > 0) {
    SLUICE_RETURN_IF_ERROR(WriteHead());
  }
  if (!options_.banned.empty()) SLUICE_RETURN_IF_ERROR(WriteBanned());
  return WriteFile(kManifestName,
                   BuildManifest(static_cast<uint16_t>(options_.table.format),
                                 options_.external_magic, tables_));
}

absl::Status DirectoryWriter::WriteInternalTable(
    absl::Span<const StreamEntry> entries) {
  SLUICE_RETURN_IF_ERROR(OpenTable(entries.front()));
  tables_.back().level = kInternalLevel;
  for (const StreamEntry& entry : entries) {
    SLUICE_RETURN_IF_ERROR(table_->Add(entry));
  }
  return CloseTable();
}

absl::Status DirectoryWriter::WriteHead() {
  const std::string pointer = ValuePointerBytes(logs_.end());
  StreamEntry head;
  head.key = kHeadKey;
  head.value = pointer;
  head.version = max_version_;
  return WriteInternalTable({head});
}

absl::Status DirectoryWriter::WriteBanned() {
  std::vector<std::string> keys;
  keys.reserve(options_.banned.size());
  std::vector<StreamEntry> bans;
  for (const uint64_t name : options_.banned) {
    std::string key(kBannedPrefix);
    for (int shift = 56; shift >= 0; shift -= 8) {
      key.push_back(static_cast<char>(name >> shift));
    }
    keys.push_back(std::move(key));
    StreamEntry ban;
    ban.key = keys.back();
    ban.version = kBanVersion;
    bans.push_back(ban);
  }
  return WriteInternalTable(bans);
}

absl::Status DirectoryWriter::WriteFile(const std::string& name,
                                        absl::string_view bytes) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file,
                          OutputFile::Create(folder_, name, options_.owner));
  SLUICE_RETURN_IF_ERROR(file->Append(bytes));
  return file->SyncAndClose();
}

}  // namespace badger
}  // namespace sluice
