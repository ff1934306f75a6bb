#ifndef SLUICE_PLUGINS_CONFORMANCE_CHECK_H_
#define SLUICE_PLUGINS_CONFORMANCE_CHECK_H_

// One check of the conformance kit, where it runs, and how its result is told.
//
// Example:
//
//   CheckRunner runner([](const CheckResult& result) { Print(result.name); });
//   runner.Run("restores into an empty store", [&]() -> absl::Status {
//     SLUICE_CHECK_THAT(store.empty(), "the store is not empty");
//     return Restore(store);
//   });
//   if (runner.summary().failed > 0) return absl::AbortedError("failed");
//
// One thread. Checks are borrowed for the call; what set_memory is given, until
// the runner is gone. No function fails: an error of a check is its result. A
// check in a child process costs a fork.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice {

struct CheckResult {
  enum class Outcome { kPassed, kFailed, kNotShown, kSkipped };
  std::string name;  // a sentence: "restores into an empty store"
  Outcome outcome = Outcome::kFailed;
  std::string detail;  // what was wrong, or why it was not shown or skipped
};

// Called once a check, in order, on the caller's thread.
using CheckReport = std::function<void(const CheckResult&)>;

struct CheckSummary {
  int passed = 0;
  int failed = 0;
  int not_shown = 0;
  int skipped = 0;
};

// What a check returns where it does not apply.
absl::Status SkipCheck(absl::string_view why);
// What it returns where nothing was wrong, and yet the rule was not shown to
// hold.
absl::Status NotShown(absl::string_view why);

// What later checks need of earlier ones, where each runs in a process of its
// own. The strings are any bytes.
class CheckMemory {
 public:
  virtual ~CheckMemory() = default;
  virtual std::vector<std::string> Save() const = 0;
  // What Save gave in the process of a check that has ended.
  virtual void Load(const std::vector<std::string>& saved) = 0;
  // A check took its process down: what it had in its hands is in no known
  // state.
  virtual void Lost() = 0;
};

struct CheckIsolation {
  // Each check runs in a child process, so that one that crashes, exits or
  // hangs is one that failed, and the next one runs.
  bool in_children = false;
  // A child that takes longer is killed.
  absl::Duration time_limit = absl::Minutes(2);
  // Called in each child before its check: loads what is checked. May be null.
  std::function<absl::Status()> prepare;
  // Asked between checks; where it is not OK no more are run. May be null.
  std::function<absl::Status()> go_on;
};

// Runs checks, tells and counts them. One thread.
class CheckRunner {
 public:
  explicit CheckRunner(CheckReport report)
      : CheckRunner(std::move(report), {}) {}
  CheckRunner(CheckReport report, CheckIsolation isolation)
      : report_(std::move(report)), isolation_(std::move(isolation)) {}

  // Whose state goes from child to child; null: none. Outlives its use.
  void set_memory(CheckMemory* memory) { memory_ = memory; }

  // Returns whether the check passed.
  bool Run(absl::string_view name, const std::function<absl::Status()>& check);

  const CheckSummary& summary() const { return summary_; }

 private:
  CheckResult RunIsolated(const std::function<absl::Status()>& check);
  void Count(const CheckResult& result);

  const CheckReport report_;
  const CheckIsolation isolation_;
  CheckMemory* memory_ = nullptr;
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

#endif  // SLUICE_PLUGINS_CONFORMANCE_CHECK_H_
