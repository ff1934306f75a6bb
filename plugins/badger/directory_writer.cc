#include "sluice/plugins/badger/directory_writer.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/entry.h"
#include "sluice/plugins/badger/manifest_writer.h"
#include "sluice/plugins/badger/table.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint32_t kHeadLevel = 0;
constexpr char kFirstLog[] = "000000.vlog";
constexpr size_t kLogHeaderBytes = 20;
// File 0, length 0, offset 20: the begin of an empty log.
constexpr absl::string_view kHeadPointer("\0\0\0\0\0\0\0\0\x14\0\0\0", 12);

std::string InternalKeyOf(const StreamEntry& entry) {
  std::string key(entry.key);
  for (size_t i = kVersionBytes; i > 0; --i) {
    key.push_back(static_cast<char>(~entry.version >> (8 * (i - 1))));
  }
  return key;
}

}  // namespace

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
  SLUICE_RETURN_IF_ERROR(table_->Add(entry));
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
  SLUICE_ASSIGN_OR_RETURN(file_,
                          OutputFile::Create(folder_, TableFileName(id)));
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
  return table_ == nullptr ? absl::OkStatus() : CloseTable();
}

std::unique_ptr<EntrySource> DirectoryWriter::Entries() const {
  return std::make_unique<LevelSource>(
      members_,
      [folder = &folder_, tables = tables_,
       version = static_cast<int>(options_.table.format)](uint64_t id) {
        return Table::Open(*folder, tables[id - 1], nullptr, version);
      });
}

absl::Status DirectoryWriter::Finish() {
  SLUICE_RETURN_IF_ERROR(CloseTables());
  if (options_.table.format == DiskFormat::kBadger2 && entries_ > 0) {
    SLUICE_RETURN_IF_ERROR(WriteHead());
  }
  return WriteFile(kManifestName,
                   BuildManifest(static_cast<uint16_t>(options_.table.format),
                                 options_.external_magic, tables_));
}

absl::Status DirectoryWriter::WriteHead() {
  StreamEntry head;
  head.key = kHeadKey;
  head.value = kHeadPointer;
  head.version = max_version_;
  SLUICE_RETURN_IF_ERROR(OpenTable(head));
  tables_.back().level = kHeadLevel;
  SLUICE_RETURN_IF_ERROR(table_->Add(head));
  SLUICE_RETURN_IF_ERROR(CloseTable());
  return WriteFile(kFirstLog, std::string(kLogHeaderBytes, '\0'));
}

absl::Status DirectoryWriter::WriteFile(const std::string& name,
                                        absl::string_view bytes) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file,
                          OutputFile::Create(folder_, name));
  SLUICE_RETURN_IF_ERROR(file->Append(bytes));
  return file->SyncAndClose();
}

}  // namespace badger
}  // namespace sluice
