#ifndef SLUICE_PLUGINS_SDK_CONFORMANCE_CHECK_H_
#define SLUICE_PLUGINS_SDK_CONFORMANCE_CHECK_H_

// One check of the conformance kit, and how its result is told.

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sluice {

struct CheckResult {
  enum class Outcome { kPassed, kFailed, kSkipped };
  std::string name;  // a sentence: "restores into an empty store"
  Outcome outcome = Outcome::kFailed;
  std::string detail;  // what was wrong, or why it was skipped
};

// Called once a check, in order, on the caller's thread.
using CheckReport = std::function<void(const CheckResult&)>;

struct CheckSummary {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};

// What a check returns where it does not apply.
inline absl::Status SkipCheck(absl::string_view why) {
  return absl::UnimplementedError(absl::StrCat("skip: ", why));
}
inline bool IsSkip(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnimplemented &&
         status.message().substr(0, 6) == "skip: ";
}

// Runs checks, tells and counts them. One thread.
class CheckRunner {
 public:
  explicit CheckRunner(CheckReport report) : report_(std::move(report)) {}

  // Returns whether the check passed.
  bool Run(absl::string_view name, const std::function<absl::Status()>& check) {
    CheckResult result;
    result.name = std::string(name);
    const absl::Status status = check();
    if (status.ok()) {
      result.outcome = CheckResult::Outcome::kPassed;
      ++summary_.passed;
    } else if (IsSkip(status)) {
      result.outcome = CheckResult::Outcome::kSkipped;
      result.detail = std::string(status.message().substr(6));
      ++summary_.skipped;
    } else {
      result.detail = status.ToString();
      ++summary_.failed;
    }
    if (report_ != nullptr) report_(result);
    return status.ok();
  }

  const CheckSummary& summary() const { return summary_; }

 private:
  const CheckReport report_;
  CheckSummary summary_;
};

// A failed expectation.
inline absl::Status CheckFailed(absl::string_view what) {
  return absl::FailedPreconditionError(what);
}

// CheckFailed(`what`) unless `condition`.
#define SLUICE_CHECK_THAT(condition, what)                \
  do {                                                    \
    if (!(condition)) return ::sluice::CheckFailed(what); \
  } while (false)

}  // namespace sluice

#endif  // SLUICE_PLUGINS_SDK_CONFORMANCE_CHECK_H_
