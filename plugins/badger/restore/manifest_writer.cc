#include "sluice/plugins/badger/restore/manifest_writer.h"

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr absl::string_view kMagic = "Bdgr";

void AppendBigEndian(uint32_t value, size_t width, std::string& out) {
  for (size_t i = width; i > 0; --i) {
    out.push_back(static_cast<char>(value >> (8 * (i - 1))));
  }
}

}  // namespace

std::string BuildManifest(uint16_t version, uint16_t external_magic,
                          absl::Span<const ManifestTable> tables) {
  std::string changes;
  for (const ManifestTable& table : tables) {
    std::string change;  // 2: the operation, 0 for create, is left out
    AppendPbVarint(1, table.id, change);
    if (table.level != 0) AppendPbVarint(3, table.level, change);
    if (table.key_number != 0) AppendPbVarint(4, table.key_number, change);
    if (table.compression != Compression::kNone) {
      AppendPbVarint(6, static_cast<uint64_t>(table.compression), change);
    }
    AppendPbBytes(1, change, changes);
  }
  std::string manifest(kMagic);
  AppendBigEndian(external_magic, 2, manifest);
  AppendBigEndian(version, 2, manifest);
  AppendBigEndian(static_cast<uint32_t>(changes.size()), 4, manifest);
  AppendBigEndian(Crc32c(changes), 4, manifest);
  return manifest + changes;
}

}  // namespace badger
}  // namespace sluice
