#ifndef SLUICE_EXECUTOR_ULID_H_
#define SLUICE_EXECUTOR_ULID_H_

// Names of archives, records and jobs: ULIDs, 26 characters of Crockford's
// base32 in upper case. 48 bits of milliseconds, then 80 random bits, so that
// names sort by the time they were drawn (to the millisecond) and never meet.
//
// Example:
//
//   std::string id = NewUlid(*clock);  // "01ARZ3NDEKTSV4RRFFQ69G5FAV"
//   IsUlid(id);                        // true
//   IsUlid("../victim");               // false: keep such a name from paths
//
// Functions here keep no state, may be called from any thread and never fail.
// They give and take values. A new name costs a look at the clock and ten
// random bytes.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"

namespace sluice {

inline constexpr size_t kUlidLength = 26;

// A new name, of the clock's time and BoringSSL's random bytes.
std::string NewUlid(const Clock& clock);

// Is `text` a whole ULID as we write them: 26 characters, upper case, its time
// within 48 bits?
bool IsUlid(absl::string_view text);

// Could `text` begin a ULID, 1 to 26 characters? Lower case counts: people type
// it.
bool IsUlidPrefix(absl::string_view text);

// The time in a ULID; absl::InfinitePast() where `ulid` is none.
absl::Time TimeOfUlid(absl::string_view ulid);

// "2026-11-22T10:47:23.042Z": how times stand in manifests and in JSON.
std::string FormatTimestamp(absl::Time time);

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_ULID_H_
