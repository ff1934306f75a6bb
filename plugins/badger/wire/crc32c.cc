#include "sluice/plugins/badger/wire/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace sluice {
namespace badger {
namespace {

constexpr uint32_t kReflectedPolynomial = 0x82f63b78;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[n][b]: what byte b, followed by n zero bytes, does to the remainder.
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder =
          remainder >> 1 ^ ((remainder & 1) != 0 ? kReflectedPolynomial : 0);
    }
    tables[0][byte] = remainder;
  }
  for (size_t n = 1; n < tables.size(); ++n) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[n - 1][byte];
      tables[n][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

uint32_t ByteAt(absl::string_view bytes, size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

#if defined(__x86_64__)
// The instruction begins once a cycle and takes three: three lanes keep it
// busy.
constexpr size_t kLaneBytes = 256;

using ShiftTables = std::array<std::array<uint32_t, 256>, 4>;

// tables[n][b]: what byte n of a remainder, b, becomes behind kLaneBytes of
// zeros. That is linear: a byte's is the sum of its bits'.
constexpr ShiftTables MakeShiftTables() {
  ShiftTables tables{};
  for (size_t bit = 0; bit < 32; ++bit) {
    uint32_t shifted = uint32_t{1} << bit;
    for (size_t i = 0; i < kLaneBytes; ++i) {
      shifted = shifted >> 8 ^ kTables[0][shifted & 0xff];
    }
    for (size_t byte = 0; byte < 256; ++byte) {
      if ((byte >> (bit % 8) & 1) != 0) tables[bit / 8][byte] ^= shifted;
    }
  }
  return tables;
}

constexpr ShiftTables kShiftTables = MakeShiftTables();

uint64_t BehindALane(uint64_t remainder) {
  return kShiftTables[0][remainder & 0xff] ^
         kShiftTables[1][remainder >> 8 & 0xff] ^
         kShiftTables[2][remainder >> 16 & 0xff] ^
         kShiftTables[3][remainder >> 24 & 0xff];
}

uint64_t WordAt(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

__attribute__((target("sse4.2"))) uint64_t ExtendByThreeLanes(
    uint64_t remainder, const char* bytes) {
  uint64_t second = 0;
  uint64_t third = 0;
  for (size_t at = 0; at < kLaneBytes; at += 8) {
    remainder = _mm_crc32_u64(remainder, WordAt(bytes + at));
    second = _mm_crc32_u64(second, WordAt(bytes + kLaneBytes + at));
    third = _mm_crc32_u64(third, WordAt(bytes + 2 * kLaneBytes + at));
  }
  return BehindALane(BehindALane(remainder) ^ second) ^ third;
}

__attribute__((target("sse4.2"))) uint32_t ExtendByInstruction(
    uint32_t crc, absl::string_view bytes) {
  uint64_t remainder = ~crc;
  while (bytes.size() >= 3 * kLaneBytes) {
    remainder = ExtendByThreeLanes(remainder, bytes.data());
    bytes.remove_prefix(3 * kLaneBytes);
  }
  while (bytes.size() >= 8) {
    remainder = _mm_crc32_u64(remainder, WordAt(bytes.data()));
    bytes.remove_prefix(8);
  }
  uint32_t tail = static_cast<uint32_t>(remainder);
  for (const char byte : bytes) {
    tail = _mm_crc32_u8(tail, static_cast<unsigned char>(byte));
  }
  return ~tail;
}

bool HasInstruction() {
  static const bool has = __builtin_cpu_supports("sse4.2");
  return has;
}
#endif

}  // namespace

uint32_t ExtendCrc32cByTable(uint32_t crc, absl::string_view bytes) {
  uint32_t remainder = ~crc;
  while (bytes.size() >= 8) {
    uint32_t next = 0;
    for (size_t i = 0; i < 8; ++i) {
      const uint32_t byte =
          ByteAt(bytes, i) ^ (i < 4 ? remainder >> (8 * i) & 0xff : 0);
      next ^= kTables[7 - i][byte];
    }
    remainder = next;
    bytes.remove_prefix(8);
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    remainder =
        remainder >> 8 ^ kTables[0][(remainder ^ ByteAt(bytes, i)) & 0xff];
  }
  return ~remainder;
}

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes) {
#if defined(__x86_64__)
  if (HasInstruction()) return ExtendByInstruction(crc, bytes);
#endif
  return ExtendCrc32cByTable(crc, bytes);
}

}  // namespace badger
}  // namespace sluice
