#ifndef SLUICE_CLI_TERMINAL_PROGRESS_H_
#define SLUICE_CLI_TERMINAL_PROGRESS_H_

// How far a run is: on a terminal a bar, redrawn ten times a second; elsewhere
// a line every 30 s.
//
//   ProgressMeter meter(&console, Clock::Real(), "backup", /*enabled=*/true);
//   options.on_progress = [&](const RunProgress& p) { meter.Update(p); };
//   ... meter.Finish();

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/executor/executor.h"

namespace sluice::cli {

// All that a bar shows.
struct ProgressView {
  std::string title;
  std::string stage;
  uint64_t bytes_done = 0;
  uint64_t bytes_estimated = 0;  // 0: not known
  double bytes_per_second = 0;
  absl::Duration idle;  // since the last byte
};

// One line without its end, ASCII. The percent is that of the bytes; where
// their number is not known there is none, and no bar. Pure.
std::string ProgressText(const ProgressView& view, bool with_bar);

// Thread-safe. Runs a thread while it is enabled; where the system gives none,
// says so and shows nothing.
class ProgressMeter {
 public:
  ProgressMeter(Console* console, Clock* clock, absl::string_view title,
                bool enabled);
  ~ProgressMeter();
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;

  // Never blocks for I/O.
  void Update(const RunProgress& progress);
  // The same of work whose bytes are all that there is to it.
  void Update(absl::string_view stage, uint64_t done, uint64_t total);
  // Takes the bar away. Idempotent.
  void Finish();

 private:
  void Run();
  void Measure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Console* const console_;
  Clock* const clock_;
  Mutex mutex_;
  CondVar changed_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  ProgressView view_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_byte_ ABSL_GUARDED_BY(mutex_);
  absl::Duration measured_at_ ABSL_GUARDED_BY(mutex_);
  uint64_t measured_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  Thread thread_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_PROGRESS_H_
