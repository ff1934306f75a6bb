#include "sluice/service/plan/verify_rule.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/plan/span.h"

namespace sluice::service {

absl::StatusOr<absl::Duration> ParseVerifyRule(absl::string_view text) {
  if (text.empty() || text == "off") return absl::ZeroDuration();
  absl::string_view span_text = text;
  if (!absl::ConsumePrefix(&span_text, "all in ")) {
    return InvalidArgument(absl::StrCat("\"", text, "\" is no such rule"),
                           "as \"all in 30d\", or off");
  }
  SLUICE_ASSIGN_OR_RETURN(const absl::Duration span, ParseSpan(span_text));
  // A share is read each day.
  if (span >= absl::Hours(24)) return span;
  return InvalidArgument(
      absl::StrCat("\"", text, "\": the span is less than a day"),
      "as \"all in 30d\"; a plan's --read-back reads each archive as it is "
      "made");
}

}  // namespace sluice::service
