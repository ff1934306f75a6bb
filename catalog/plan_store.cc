#include "sluice/catalog/plan_store.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"

namespace sluice {

absl::string_view OutcomeWord(Firing::Outcome outcome) {
  switch (outcome) {
    case Firing::Outcome::kOpen:
      return "open";
    case Firing::Outcome::kSucceeded:
      return "succeeded";
    case Firing::Outcome::kFailed:
      return "failed";
    case Firing::Outcome::kInterrupted:
      return "interrupted";
    case Firing::Outcome::kSkipped:
      return "skipped";
    case Firing::Outcome::kMissed:
      return "missed";
  }
  return "";
}

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  bool good = !name.empty() && name.size() <= 63;
  for (size_t i = 0; good && i < name.size(); ++i) {
    const char c = name[i];
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    good = alphanumeric || (i > 0 && (c == '.' || c == '_' || c == '-'));
  }
  if (good) return absl::OkStatus();
  return InvalidArgument(
      absl::StrCat("a ", what,
                   "'s name is 1 to 63 of a-z 0-9 . _ -, beginning "
                   "with a letter or digit, not \"",
                   name, "\""));
}

}  // namespace sluice
