#include "sluice/catalog/plan_store.h"

#include "absl/strings/string_view.h"

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

}  // namespace sluice
