// Whatever rules are read, they are valid, and what is printed of them is read
// as the same rules.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/service/retention/rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::service;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<RetentionRules> rules = ParseRetentionRules(text);
  if (!rules.ok()) {
    if (sluice::ErrorCodeOf(rules.status()) != sluice::kInvalidArgument)
      std::abort();
    return 0;
  }
  if (!CheckRetentionRules(*rules).ok()) std::abort();
  const auto again = ParseRetentionRules(FormatRetentionRules(*rules));
  if (!again.ok() || *again != *rules) std::abort();
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  if (TimeBefore(now, rules->keep_within, absl::UTCTimeZone()) > now)
    std::abort();
  return 0;
}
