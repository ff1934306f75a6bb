#ifndef SLUICE_PLUGINS_BADGER_WIRE_PB_WIRE_H_
#define SLUICE_PLUGINS_BADGER_WIRE_PB_WIRE_H_

// The little of Protobuf's wire format that Badger's messages need, without
// generated code: a plugin's shared object must bring no descriptors of its
// own.
//
//   PbReader reader(bytes);
//   PbField field;
//   while (reader.Next(field)) {
//     if (field.IsVarint(1)) id = field.value;
//     if (field.IsBytes(2)) data = field.bytes;
//   }
//   if (!reader.ok()) return Damaged(...);
//
// Fields that the caller does not ask for are passed over, as Protobuf wants
// it; a repeated scalar keeps its last value if the caller assigns. Views live
// as long as the bytes read. No allocation, one thread.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

enum class PbType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kFixed32 = 5
};

struct PbField {
  uint32_t number = 0;
  PbType type = PbType::kVarint;
  uint64_t value = 0;       // of every type but kBytes
  absl::string_view bytes;  // of kBytes

  bool IsVarint(uint32_t wanted) const {
    return number == wanted && type == PbType::kVarint;
  }
  bool IsBytes(uint32_t wanted) const {
    return number == wanted && type == PbType::kBytes;
  }
};

class PbReader {
 public:
  explicit PbReader(absl::string_view bytes) : rest_(bytes) {}

  // False at the end, and for good where the bytes are not a message: then ok()
  // is false.
  bool Next(PbField& field);
  bool ok() const { return ok_; }

 private:
  bool Read(PbField& field);

  absl::string_view rest_;
  bool ok_ = true;
};

// Append to `out`. Defaults (0, empty) are written if asked for: leaving them
// out is up to the caller.
inline void AppendVarint(uint64_t value, std::string& out) {
  char bytes[10];
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) {
    bytes[size++] = static_cast<char>(value | 0x80);
  }
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}
void AppendPbVarint(uint32_t number, uint64_t value, std::string& out);
void AppendPbBytes(uint32_t number, absl::string_view bytes, std::string& out);

// How many bytes AppendVarint(value) writes: 1 to 10.
size_t VarintSize(uint64_t value);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_WIRE_PB_WIRE_H_
