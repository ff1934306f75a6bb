#ifndef SLUICE_SERVICE_SCHEDULE_WINDOW_H_
#define SLUICE_SERVICE_SCHEDULE_WINDOW_H_

// Hours of each day, on the clock of a plan's zone.
//
// Example:
//
//   absl::StatusOr<DailyWindow> night = DailyWindow::Parse("22:00-05:00");
//   if (!night.ok()) return night.status();
//   night->Contains(absl::Now(), absl::UTCTimeZone());
//
// A value; any thread may read it. Parse allocates, the rest does not.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::service {

class DailyWindow {
 public:
  // "HH:MM-HH:MM", the end not included; past midnight where it ends before it
  // begins. The end may be 24:00. invalid_argument for all else, also for one
  // that ends as it begins.
  static absl::StatusOr<DailyWindow> Parse(absl::string_view text);

  std::string text() const;

  // Whether the clock in `zone` shows a time of the window. An hour that comes
  // twice is in it twice.
  bool Contains(absl::Time time, absl::TimeZone zone) const;

  // `time` if it is in the window, else when the window next begins: after the
  // gap where a change of the clock skips its beginning. InfiniteFuture where
  // it does not within a week.
  absl::Time NextWithin(absl::Time time, absl::TimeZone zone) const;

 private:
  DailyWindow(int begin, int end) : begin_(begin), end_(end) {}

  // Minutes of the day; the end up to 24:00.
  int begin_;
  int end_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_WINDOW_H_
