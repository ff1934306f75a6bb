#include "sluice/cli/views/pin_words.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/service/plan/span.h"

namespace sluice::cli {

absl::StatusOr<absl::Time> ParseUntil(const std::string& text, absl::Time now) {
  std::string ignored;
  absl::Time until;
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day)) {
    until = absl::FromCivil(day + 1, absl::UTCTimeZone());
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &until, &ignored)) {
    const absl::StatusOr<absl::Duration> span = service::ParseSpan(text);
    if (!span.ok()) {
      return InvalidArgument(
          absl::StrCat("--until ", text, " is neither a date nor a span"),
          "as 2027-01-31, 2027-01-31T12:00:00Z or 90d");
    }
    until = now + *span;
  }
  if (until > now) return until;
  return InvalidArgument(absl::StrCat("--until ", text, " is over already"),
                         "a time that is to come");
}

}  // namespace sluice::cli
