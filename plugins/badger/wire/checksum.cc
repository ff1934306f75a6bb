#include "sluice/plugins/badger/wire/checksum.h"

#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {

ChecksumKind ParseChecksum(absl::string_view message, uint32_t& crc) {
  uint64_t algorithm = 0;
  uint64_t sum = 0;
  PbReader reader(message);
  PbField field;
  while (reader.Next(field)) {
    if (field.IsVarint(1)) algorithm = field.value;
    if (field.IsVarint(2)) sum = field.value;
  }
  if (!reader.ok()) return ChecksumKind::kDamaged;
  if (algorithm != 0) return ChecksumKind::kUnknownAlgorithm;
  if (sum > UINT32_MAX) return ChecksumKind::kDamaged;
  crc = static_cast<uint32_t>(sum);
  return ChecksumKind::kCrc32c;
}

}  // namespace badger
}  // namespace sluice
