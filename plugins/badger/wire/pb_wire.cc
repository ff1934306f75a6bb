#include "sluice/plugins/badger/wire/pb_wire.h"

#include "sluice/plugins/badger/wire/byte_cursor.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint64_t kMaxFieldNumber = (uint64_t{1} << 29) - 1;

}  // namespace

bool PbReader::Next(PbField& field) {
  if (!ok_ || rest_.empty()) return false;
  ok_ = Read(field);
  return ok_;
}

bool PbReader::Read(PbField& field) {
  ByteCursor cursor(rest_);
  uint64_t tag = 0;
  if (!cursor.Varint(tag)) return false;
  const uint64_t number = tag >> 3;
  if (number == 0 || number > kMaxFieldNumber) return false;
  field = PbField{static_cast<uint32_t>(number), static_cast<PbType>(tag & 7),
                  0, ""};
  uint64_t length = 0;
  uint32_t word = 0;
  switch (field.type) {
    case PbType::kVarint:
      if (!cursor.Varint(field.value)) return false;
      break;
    case PbType::kFixed64:
      if (!cursor.LittleEndian64(field.value)) return false;
      break;
    case PbType::kBytes:
      if (!cursor.Varint(length) || !cursor.Bytes(length, field.bytes)) {
        return false;
      }
      break;
    case PbType::kFixed32:
      if (!cursor.LittleEndian32(word)) return false;
      field.value = word;
      break;
    default:
      return false;  // groups, which no message here ever had
  }
  rest_ = cursor.rest();
  return true;
}

void AppendPbVarint(uint32_t number, uint64_t value, std::string& out) {
  AppendVarint(uint64_t{number} << 3, out);
  AppendVarint(value, out);
}

void AppendPbBytes(uint32_t number, absl::string_view bytes, std::string& out) {
  AppendVarint(uint64_t{number} << 3 | 2, out);
  AppendVarint(bytes.size(), out);
  out.append(bytes.data(), bytes.size());
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

}  // namespace badger
}  // namespace sluice
