#include "sluice/plugins/badger/format/manifest.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr absl::string_view kManifestName = "MANIFEST";
constexpr absl::string_view kMagic = "Bdgr";
constexpr uint16_t kOldestVersion = 7;
constexpr uint16_t kNewestVersion = 8;

struct Change {
  ManifestTable table;
  uint64_t operation = 0;
  uint64_t compression = 0;
  uint64_t level = 0;
  uint64_t algorithm = 0;
};

bool ParseChange(absl::string_view bytes, Change& change) {
  PbReader reader(bytes);
  PbField field;
  while (reader.Next(field)) {
    if (field.IsVarint(1)) change.table.id = field.value;
    if (field.IsVarint(2)) change.operation = field.value;
    if (field.IsVarint(3)) change.level = field.value;
    if (field.IsVarint(4)) change.table.key_number = field.value;
    if (field.IsVarint(5)) change.algorithm = field.value;
    if (field.IsVarint(6)) change.compression = field.value;
  }
  return reader.ok();
}

absl::Status Create(const Change& change, Manifest& manifest) {
  ManifestTable table = change.table;
  const std::string name = absl::StrCat("table ", table.id);
  if (change.compression > 2) {
    return Unreadable(kManifestName, absl::StrCat(name, " has compression ",
                                                  change.compression));
  }
  if (change.algorithm != 0) {
    return Unreadable(kManifestName,
                      absl::StrCat(name, " has encryption ", change.algorithm));
  }
  if (change.level > UINT32_MAX || table.id == 0) {
    return Damaged(kManifestName,
                   absl::StrCat(name, " on level ", change.level));
  }
  table.level = static_cast<uint32_t>(change.level);
  table.compression = static_cast<Compression>(change.compression);
  if (!manifest.tables.emplace(table.id, table).second) {
    return Damaged(kManifestName, absl::StrCat(name, " is created twice"));
  }
  manifest.deleted.erase(table.id);
  return absl::OkStatus();
}

absl::Status Apply(const Change& change, Manifest& manifest) {
  switch (change.operation) {
    case 0:
      return Create(change, manifest);
    case 1:
      manifest.tables.erase(change.table.id);
      manifest.deleted.insert(change.table.id);
      return absl::OkStatus();
    default:
      return Damaged(kManifestName,
                     absl::StrCat("a change of kind ", change.operation));
  }
}

absl::Status ApplyRecord(absl::string_view body, Manifest& manifest) {
  PbReader reader(body);
  PbField field;
  while (reader.Next(field)) {
    if (!field.IsBytes(1)) continue;
    Change change;
    if (!ParseChange(field.bytes, change)) {
      return Damaged(kManifestName, "a malformed change");
    }
    SLUICE_RETURN_IF_ERROR(Apply(change, manifest));
  }
  if (!reader.ok()) return Damaged(kManifestName, "a malformed record");
  return absl::OkStatus();
}

absl::Status ReadHeader(ByteCursor& cursor, Manifest& manifest) {
  absl::string_view magic;
  if (!cursor.Bytes(kMagic.size(), magic) || magic != kMagic ||
      !cursor.BigEndian16(manifest.external_magic) ||
      !cursor.BigEndian16(manifest.version)) {
    return Damaged(kManifestName, "it does not begin as a Badger manifest");
  }
  if (manifest.version < kOldestVersion || manifest.version > kNewestVersion) {
    return Unreadable(kManifestName,
                      absl::StrCat("format version ", manifest.version,
                                   "; 7 (Badger 2) and 8 (Badger 3 and 4) can "
                                   "be read"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Manifest> ParseManifest(absl::string_view file) {
  Manifest manifest;
  ByteCursor cursor(file);
  SLUICE_RETURN_IF_ERROR(ReadHeader(cursor, manifest));
  manifest.valid_bytes = file.size() - cursor.rest().size();
  // Badger renames a new one into its place with a record in it, if an empty
  // one.
  if (cursor.empty()) return Damaged(kManifestName, "it has no record");
  while (!cursor.empty()) {
    uint32_t length = 0;
    uint32_t crc = 0;
    absl::string_view body;
    const bool has_header =
        cursor.BigEndian32(length) && cursor.BigEndian32(crc);
    if (has_header && length > file.size()) {
      return Damaged(kManifestName,
                     absl::StrCat("a record of ", length, " bytes at byte ",
                                  manifest.valid_bytes));
    }
    if (!has_header || !cursor.Bytes(length, body)) {
      manifest.is_cut = true;
      return manifest;
    }
    if (Crc32c(body) != crc) {
      return Damaged(kManifestName,
                     absl::StrCat("the checksum of the record at byte ",
                                  manifest.valid_bytes, " is wrong"));
    }
    SLUICE_RETURN_IF_ERROR(ApplyRecord(body, manifest));
    manifest.valid_bytes = file.size() - cursor.rest().size();
  }
  return manifest;
}

}  // namespace badger
}  // namespace sluice
