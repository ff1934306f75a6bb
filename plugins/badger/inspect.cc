#include "sluice/plugins/badger/inspect.h"

#include <cstddef>
#include <iterator>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/image_error.h"
#include "sluice/plugins/badger/table.h"
#include "sluice/plugins/badger/version_reader.h"

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

void CountValue(VersionReader& reader, bool is_live, std::string& value,
                Inspection& found) {
  const absl::Status status = reader.ReadValue(value);
  if (status.ok()) {
    found.value_bytes += value.size();
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

std::string RenderLogs(const Inspection& found) {
  std::string text =
      absl::StrFormat("value logs %d\n", found.summary.value_logs);
  for (const LogSummary& log : found.summary.replayed) {
    absl::StrAppendFormat(&text, "replayed   %s, to byte %d of %d\n", log.name,
                          log.end.valid_end, log.file_bytes);
  }
  return text;
}

}  // namespace

absl::StatusOr<Inspection> Inspect(FileSystem& file_system,
                                   const ImageOptions& options,
                                   absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Image> image,
                          Image::Open(file_system, options));
  Inspection found;
  found.folder = options.folder;
  found.summary = image->summary();
  AddTables(found);
  const absl::Status status = CountVersions(*image, now, found);
  if (!status.ok()) AddDamage(status, found);
  return found;
}

std::string Render(const Inspection& found) {
  const ImageSummary& summary = found.summary;
  std::string text = absl::StrFormat(
      "%s: Badger format %d (%s)%s, newest version %d\n", found.folder,
      summary.manifest_version,
      summary.manifest_version >= 8 ? "Badger 3 and 4" : "Badger 2",
      summary.data_keys > 0 ? ", encrypted" : "", summary.max_version);
  absl::StrAppend(&text, RenderHolder(found), RenderLevels(found),
                  RenderLogs(found));
  absl::StrAppendFormat(&text, "keys       %d live, %d deleted, %d expired\n",
                        found.live_keys, found.deleted_keys,
                        found.expired_keys);
  absl::StrAppendFormat(&text, "versions   %d, keys %s, values %s\n",
                        found.versions, Size(found.key_bytes),
                        Size(found.value_bytes));
  if (found.collected_values > 0) {
    absl::StrAppendFormat(&text, "collected  %d values of obsolete versions\n",
                          found.collected_values);
  }
  for (const std::string& warning : summary.warnings) {
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

std::string RenderTables(const Inspection& found) {
  std::string text = "table       level        size     entries  first key\n";
  for (const TableSummary& table : found.summary.tables) {
    absl::StrAppendFormat(
        &text, "%-11s %5d %11s %11s  0x%s\n", TableFileName(table.listed.id),
        table.listed.level, Size(table.file_bytes),
        table.keys == 0 ? "-" : absl::StrCat(table.keys),
        absl::BytesToHexString(table.first_key.substr(0, 32)));
  }
  return text;
}

}  // namespace badger
}  // namespace sluice
