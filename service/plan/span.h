#ifndef SLUICE_SERVICE_PLAN_SPAN_H_
#define SLUICE_SERVICE_PLAN_SPAN_H_

// Spans of time as people write them: "90m", "1h30m", "30d", "2w3d". Pure; any
// thread.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::service {

// Numbers with a unit, the largest first: w, d, h, m, s, ms; d is 24 hours. "0"
// is no time at all. invalid_argument, with a hint, for all else and beyond a
// hundred years.
absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text);

// The shortest text that parses to it; whole milliseconds.
std::string FormatSpan(absl::Duration span);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_PLAN_SPAN_H_
