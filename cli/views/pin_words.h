#ifndef SLUICE_CLI_VIEWS_PIN_WORDS_H_
#define SLUICE_CLI_VIEWS_PIN_WORDS_H_

// What is said of a pin. Pure; any thread.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace sluice::cli {

// The end that --until says: a date, whose end it is, in UTC; a time; or a span
// from `now` on. invalid_argument for all else, and for what is over.
absl::StatusOr<absl::Time> ParseUntil(const std::string& text, absl::Time now);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VIEWS_PIN_WORDS_H_
