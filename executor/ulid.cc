#include "sluice/executor/ulid.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"

namespace sluice {
namespace {

constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kTimeCharacters = 10;
constexpr int64_t kMaxMilliseconds = (int64_t{1} << 48) - 1;

bool IsCrockford(char c) { return kAlphabet.find(c) != kAlphabet.npos; }

// 26 characters hold 130 bits, a ULID has 128: the first is 7 at most.
bool FitsTime(char first) { return first <= '7'; }

}  // namespace

std::string NewUlid(const Clock& clock) {
  std::array<uint8_t, 10> random;
  RAND_bytes(random.data(), random.size());  // BoringSSL's cannot fail
  uint64_t milliseconds = static_cast<uint64_t>(std::clamp<int64_t>(
      absl::ToUnixMillis(clock.Now()), 0, kMaxMilliseconds));

  std::string ulid(kUlidLength, '0');
  for (size_t i = kTimeCharacters; i-- > 0; milliseconds >>= 5) {
    ulid[i] = kAlphabet[milliseconds & 31];
  }
  uint32_t bits = 0;
  int held = 0;
  size_t next = kTimeCharacters;
  for (const uint8_t byte : random) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 5; held -= 5) {
      ulid[next++] = kAlphabet[bits >> (held - 5) & 31];
    }
  }
  return ulid;
}

bool IsUlid(absl::string_view text) {
  return text.size() == kUlidLength && FitsTime(text[0]) &&
         std::all_of(text.begin(), text.end(), IsCrockford);
}

bool IsUlidPrefix(absl::string_view text) {
  return !text.empty() && text.size() <= kUlidLength && FitsTime(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsCrockford(absl::ascii_toupper(c));
         });
}

absl::Time TimeOfUlid(absl::string_view ulid) {
  if (!IsUlid(ulid)) return absl::InfinitePast();
  int64_t milliseconds = 0;
  for (const char c : ulid.substr(0, kTimeCharacters)) {
    milliseconds = milliseconds << 5 | static_cast<int64_t>(kAlphabet.find(c));
  }
  return absl::FromUnixMillis(milliseconds);
}

std::string FormatTimestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

}  // namespace sluice
