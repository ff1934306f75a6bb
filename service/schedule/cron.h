#ifndef SLUICE_SERVICE_SCHEDULE_CRON_H_
#define SLUICE_SERVICE_SCHEDULE_CRON_H_

// When a plan is due: the times that a schedule names. A pure function of time.
//
// Example:
//
//   absl::StatusOr<Schedule> nightly =
//       Schedule::Parse("CRON_TZ=Europe/Berlin 30 2 * * mon-fri");
//   if (!nightly.ok()) return nightly.status();
//   const absl::Time due = nightly->Next(absl::Now());
//   const absl::Duration interval = nightly->IntervalAfter(due);
//
// What may be written:
//
//   minute hour day-of-month month day-of-week, split by blanks. A field is a
//   list (1,15) of "*", values, ranges (1-5) and steps of a range (*/15,
//   8-18/2). Months are 1-12 or jan-dec, weekdays 0-7 (0 and 7 are Sunday) or
//   sun-sat, in any case. Where neither day field begins with "*" a day that
//   fits either is meant, else one that fits both (Vixie's rule, POSIX's too).
//   @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
//   @every 1h30m: a duration as absl::ParseDuration reads it (Go's, so days are
//   24h), whole seconds, 1s to 8784h.
//   CRON_TZ=Zone or TZ=Zone before any of them: wins over the zone given.
//
// All else is refused with invalid_argument, which names the column and the
// field and has a hint: seconds and years, "L", "W", "#", "?", "@reboot", a
// step before which no range stands ("5/15"), one as long as its field
// ("*/60"), what never comes ("0 0 30 2 *"), more than 256 bytes.
//
// When clocks change, a schedule does what Vixie's cron (4.1) does:
//
//   A fixed time (neither the minute nor the hour begins with "*") that the
//   change skips is due right after it, at the instant of the change, once for
//   all that are skipped together; one that the change repeats is due the first
//   time only.
//   Any other follows real time: it is due whenever the clock on the wall shows
//   such a minute, so not in a skipped hour, and twice in a repeated one.
//   "30 * * * *" is so due each hour of real time.
//   @every is due at the anchor plus or minus a multiple of its period,
//   whatever clocks show; it neither drifts nor begins anew.
//
// Where it is not Vixie's: any gap counts, not only those up to three hours;
// times skipped together are one time, where Vixie's runs them one after the
// other.
//
// A Schedule is a value; any thread may read it. Nothing here reads a clock;
// Parse may read a zone's file once. Costs: Next and Previous take some hundred
// nanoseconds to a few microseconds, whatever lies between.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/service/schedule/cron_fields.h"

namespace sluice::service {

class Schedule {
 public:
  // `zone` is that of the plan. `anchor`, in whole seconds, is what @every
  // counts from: the instant when its plan was created, which is kept with it.
  static absl::StatusOr<Schedule> Parse(
      absl::string_view text, absl::TimeZone zone = absl::UTCTimeZone(),
      absl::Time anchor = absl::UnixEpoch());

  // One form for one schedule: names as numbers, single blanks, the zone only
  // where it was written. Parses to the same schedule.
  const std::string& text() const { return text_; }
  absl::TimeZone zone() const { return zone_; }

  // The first time strictly after `after`; InfiniteFuture past the year 9999.
  absl::Time Next(absl::Time after) const;
  // The last time strictly before `before`; InfinitePast before the year 1.
  absl::Time Previous(absl::Time before) const;
  // How many lie in (after, until]. Takes a step for each month and each clock
  // change between: some 10 us for ten years.
  int64_t Count(absl::Time after, absl::Time until) const;

  // From the first time after `time` to the one that follows it.
  absl::Duration IntervalAfter(absl::Time time) const;
  // The shortest distance of two times on one or two days, clock changes apart;
  // a day for what comes less often.
  absl::Duration shortest_interval() const { return shortest_interval_; }

  // Not a fixed time: see above.
  bool follows_real_time() const { return follows_real_time_; }
  // The first minute in [from, until) that the fields name, on a clock that
  // never changes; none for @every.
  absl::optional<absl::CivilMinute> FirstOnTheWall(
      absl::CivilMinute from, absl::CivilMinute until) const;

 private:
  Schedule() = default;

  absl::Time NextFixed(absl::Time after) const;
  absl::Time NextReal(absl::Time after) const;
  absl::Time PreviousFixed(absl::Time before) const;
  absl::Time PreviousReal(absl::Time before) const;
  int64_t CountWithin(absl::Time from, absl::Time end) const;

  std::string text_;
  absl::TimeZone zone_;
  // Fields, or a period and its anchor.
  absl::optional<CronFields> fields_;
  absl::Duration period_;
  absl::Time anchor_;
  absl::Duration shortest_interval_;
  bool follows_real_time_ = true;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_CRON_H_
