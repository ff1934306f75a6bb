#include "sluice/plugins/badger/format/log_record.h"

#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"

namespace sluice {
namespace badger {

bool ParseRecordHeader(absl::string_view bytes, RecordHeader& header) {
  ByteCursor cursor(bytes);
  uint64_t key_size = 0;
  uint64_t value_size = 0;
  if (!cursor.Byte(header.meta) || !cursor.Byte(header.user_meta) ||
      !cursor.Varint(key_size) || !cursor.Varint(value_size) ||
      !cursor.Varint(header.expires_at) || key_size > kMaxInternalKeyBytes ||
      value_size > UINT32_MAX) {
    return false;
  }
  header.key_size = static_cast<uint32_t>(key_size);
  header.value_size = static_cast<uint32_t>(value_size);
  header.header_size = bytes.size() - cursor.rest().size();
  return true;
}

}  // namespace badger
}  // namespace sluice
