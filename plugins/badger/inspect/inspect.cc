#include "sluice/plugins/badger/inspect/inspect.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/image/image_files.h"
#include "sluice/plugins/badger/image/store_id.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/live/live_file.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr size_t kMaxFindings = 10;

void AddDamage(const absl::Status& status, Inspection& found) {
  if (found.damage.size() < kMaxFindings) {
    found.damage.emplace_back(status.message());
  }
}

void AddTables(Inspection& found) {
  for (const TableSummary& table : found.summary.tables) {
    LevelTotals& level = found.levels[table.listed.level];
    ++level.tables;
    level.bytes += table.file_bytes;
    level.entries += table.keys;
  }
}

bool HasExpired(const VersionReader& reader, absl::Time now) {
  return reader.expires_at() != 0 &&
         reader.expires_at() <= static_cast<uint64_t>(absl::ToUnixSeconds(now));
}

// Says whether the key, whose newest version this is, is live.
bool CountKey(const VersionReader& reader, absl::Time now, Inspection& found) {
  if (reader.is_deleted()) {
    ++found.deleted_keys;
    return false;
  }
  if (HasExpired(reader, now)) {
    ++found.expired_keys;
    return false;
  }
  ++found.live_keys;
  return true;
}

// What a record of the version here takes of a log.
uint64_t RecordBytes(const VersionReader& reader, uint64_t value_bytes) {
  const uint64_t key_bytes = reader.key().size() + kVersionBytes;
  return 2 + VarintSize(key_bytes) + VarintSize(value_bytes) +
         VarintSize(reader.expires_at()) + key_bytes + value_bytes +
         kRecordCrcBytes;
}

// Whether the version here has a record in a value log. In format 7 these are
// replayed, too.
bool IsInValueLog(const VersionReader& reader, const Inspection& found) {
  const StoredValue& stored = reader.values().front();
  return stored.is_pointer() ||
         (stored.log != nullptr && found.summary.manifest_version < 8);
}

void CountValue(VersionReader& reader, bool is_live, std::string& value,
                Inspection& found) {
  const absl::Status status = reader.ReadValue(value);
  if (status.ok()) {
    found.value_bytes += value.size();
    if (is_live && IsInValueLog(reader, found)) {
      found.live_log_bytes += RecordBytes(reader, value.size());
    }
  } else if (IsDangling(status) && !is_live) {
    ++found.collected_values;
  } else {
    ++found.damaged_values;
    AddDamage(status, found);
  }
}

absl::Status CountVersions(Image& image, absl::Time now, Inspection& found) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionReader> reader,
                          image.ReadVersions());
  std::string last_key;
  std::string value;
  while (reader->Valid()) {
    const absl::string_view key = reader->key();
    const bool is_newest =
        found.versions == 0 || absl::string_view(last_key) != key;
    const bool is_live = is_newest && CountKey(*reader, now, found);
    ++found.versions;
    found.key_bytes += key.size();
    CountValue(*reader, is_live, value, found);
    last_key.assign(key.data(), key.size());
    SLUICE_RETURN_IF_ERROR(reader->Next());
  }
  return absl::OkStatus();
}

// With three digits, in decimal units.
std::string Size(uint64_t bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double size = static_cast<double>(bytes);
  size_t unit = 0;
  while (size >= 1000 && unit + 1 < std::size(units)) {
    size /= 1000;
    ++unit;
  }
  return absl::StrFormat("%.*f %s", unit == 0 || size >= 100 ? 0 : 1, size,
                         units[unit]);
}

std::string RenderHolder(const Inspection& found) {
  if (!found.holder.has_value()) return "open       by nobody that is seen\n";
  const std::string process =
      found.holder->process == 0
          ? "another namespace's process"
          : absl::StrCat("process ", found.holder->process);
  return absl::StrCat(
      "open       by ", process,
      found.holder->writes ? ", which may write\n" : ", read only\n");
}

std::string RenderLevels(const Inspection& found) {
  std::string text;
  if (found.levels.empty()) return "tables     none\n";
  absl::StrAppend(&text, "level  tables        size     entries\n");
  for (const auto& [number, level] : found.levels) {
    absl::StrAppendFormat(
        &text, "%5d %7d %11s %11s\n", number, level.tables, Size(level.bytes),
        level.entries == 0 ? "-" : absl::StrCat(level.entries));
  }
  return text;
}

// As text where it is some, else in hex; not longer than fits a line.
std::string ShowKey(absl::string_view key) {
  constexpr size_t kMaxShownBytes = 32;
  const absl::string_view shown = key.substr(0, kMaxShownBytes);
  const char* const dots = key.size() > shown.size() ? "..." : "";
  const bool is_text = std::all_of(shown.begin(), shown.end(), [](char byte) {
    return absl::ascii_isprint(byte) && byte != '"';
  });
  return is_text ? absl::StrCat("\"", shown, "\"", dots)
                 : absl::StrCat("0x", absl::BytesToHexString(shown), dots);
}

std::string RenderFiles(const Inspection& found) {
  std::string text;
  if (!found.banned.empty()) {
    absl::StrAppend(&text, "banned     namespaces ",
                    absl::StrJoin(found.banned, ", "), "\n");
  }
  for (const std::string& name : found.missing) {
    absl::StrAppend(&text, "missing    ", name, "\n");
  }
  for (const std::string& name : found.extra) {
    absl::StrAppend(&text, "extra      ", absl::Utf8SafeCEscape(name), "\n");
  }
  return text;
}

std::string RenderLogs(const Inspection& found) {
  const uint64_t bytes = found.summary.value_log_bytes;
  std::string text = absl::StrFormat(
      "value logs %d, %s, of these %s garbage\n", found.summary.value_logs,
      Size(bytes), Size(bytes - std::min(bytes, found.live_log_bytes)));
  for (const LogSummary& log : found.summary.replayed) {
    absl::StrAppendFormat(&text, "replayed   %s, to byte %d of %d\n", log.name,
                          log.end.valid_end, log.file_bytes);
  }
  return text;
}

std::string RenderCounts(const Inspection& found) {
  std::string text =
      absl::StrFormat("keys       %d live, %d deleted, %d expired\n",
                      found.live_keys, found.deleted_keys, found.expired_keys);
  absl::StrAppendFormat(&text, "versions   %d, keys %s, values %s\n",
                        found.versions, Size(found.key_bytes),
                        Size(found.value_bytes));
  if (found.collected_values > 0) {
    absl::StrAppendFormat(&text, "collected  %d values of obsolete versions\n",
                          found.collected_values);
  }
  return text;
}

std::string RenderDamage(const Inspection& found) {
  std::string text;
  for (const std::string& warning : found.summary.warnings) {
    absl::StrAppend(&text, "warning    ", warning, "\n");
  }
  for (const std::string& damage : found.damage) {
    absl::StrAppend(&text, "damage     ", damage, "\n");
  }
  if (found.damaged_values > found.damage.size()) {
    absl::StrAppendFormat(&text, "damage     %d values in all\n",
                          found.damaged_values);
  }
  if (!found.is_damaged()) absl::StrAppend(&text, "damage     none\n");
  return text;
}

}  // namespace

absl::StatusOr<Inspection> Inspect(FileSystem& file_system,
                                   const ImageOptions& options,
                                   absl::Time now) {
  Inspection found;
  found.folder = options.folder;
  const auto image = Image::Open(file_system, options);
  if (!image.ok()) {
    if (image.status().code() != absl::StatusCode::kDataLoss) {
      return image.status();
    }
    SLUICE_RETURN_IF_ERROR(FindFiles(file_system, options, found));
    AddDamage(image.status(), found);
    return found;
  }
  found.is_read = true;
  found.summary = (*image)->summary();
  SLUICE_RETURN_IF_ERROR(FindFiles(file_system, options, found));
  AddTables(found);
  absl::Status status = CountVersions(**image, now, found);
  if (status.ok()) {
    auto banned = (*image)->BannedNamespaces();
    status = banned.status();
    if (banned.ok()) found.banned = *std::move(banned);
  }
  if (!status.ok()) AddDamage(status, found);
  return found;
}

absl::Status FindFiles(FileSystem& file_system, const ImageOptions& options,
                       Inspection& found) {
  const auto folder = file_system.Beneath(options.folder);
  if (!folder.ok()) {
    return SourceIoError("open folder", options.folder, folder.error);
  }
  SLUICE_ASSIGN_OR_RETURN(ImageFiles files, ListImageFiles(*folder.value));
  FileIdentity identity;
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadSmall(*folder.value, "MANIFEST", identity));
  SLUICE_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(bytes));
  found.summary.manifest_version = manifest.version;
  found.summary.external_magic = manifest.external_magic;
  found.missing.clear();
  found.extra.clear();
  for (const auto& table : manifest.tables) {
    if (files.tables.count(table.first) == 0) {
      found.missing.push_back(TableFileName(table.first));
    }
  }
  for (const uint64_t table : files.tables) {
    if (manifest.tables.count(table) == 0) {
      found.extra.push_back(TableFileName(table));
    }
  }
  for (std::string& name : files.others) {
    if (name != kStoreIdFile) found.extra.push_back(std::move(name));
  }
  return absl::OkStatus();
}

std::string Render(const Inspection& found) {
  const ImageSummary& summary = found.summary;
  std::string text = absl::StrFormat(
      "%s: Badger format %d (%s)%s, external magic %d", found.folder,
      summary.manifest_version,
      summary.manifest_version >= 8 ? "Badger 3 and 4" : "Badger 2",
      summary.is_encrypted ? ", encrypted" : "", summary.external_magic);
  if (found.is_read) {
    absl::StrAppend(&text, ", newest version ", summary.max_version);
  }
  absl::StrAppend(&text, "\n", RenderHolder(found));
  if (found.is_read) {
    absl::StrAppend(&text, RenderLevels(found), RenderLogs(found));
  }
  absl::StrAppend(&text, RenderFiles(found));
  if (found.is_read) absl::StrAppend(&text, RenderCounts(found));
  absl::StrAppend(&text, RenderDamage(found));
  return text;
}

std::string RenderTables(const Inspection& found) {
  std::string text = "table       level        size     entries  first key\n";
  for (const TableSummary& table : found.summary.tables) {
    InternalKey first;
    ParseInternalKey(table.first_key, first);
    absl::StrAppendFormat(&text, "%-11s %5d %11s %11s  %s\n",
                          TableFileName(table.listed.id), table.listed.level,
                          Size(table.file_bytes),
                          table.keys == 0 ? "-" : absl::StrCat(table.keys),
                          ShowKey(first.user_key));
  }
  return text;
}

}  // namespace badger
}  // namespace sluice
