#include "sluice/service/schedule/cron.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/schedule/cron_text.h"
#include "sluice/service/schedule/zone.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kSecond = absl::Seconds(1);

absl::Time Earliest() {
  static const absl::Time time =
      absl::FromCivil(absl::CivilYear(1), absl::UTCTimeZone());
  return time;
}
absl::Time Latest() {
  static const absl::Time time =
      absl::FromCivil(absl::CivilYear(10000), absl::UTCTimeZone()) - kSecond;
  return time;
}

absl::Time WholeSecond(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
}

// The first minute that does not begin before `second`.
absl::CivilMinute Ceiling(absl::CivilSecond second) {
  const absl::CivilMinute minute(second);
  return second.second() == 0 ? minute : minute + 1;
}

// The instant when a clock `offset` seconds ahead of UTC shows `minute`.
absl::Time Instant(absl::CivilMinute minute, int offset) {
  return absl::FromCivil(minute, absl::UTCTimeZone()) - absl::Seconds(offset);
}

absl::Time InstantOf(const absl::TimeZone::CivilTransition& change,
                     absl::TimeZone zone) {
  const absl::TimeZone::TimeInfo info = zone.At(change.to);
  return info.kind == absl::TimeZone::TimeInfo::UNIQUE ? info.pre : info.trans;
}

// The first change of the clock after `time`.
absl::Time ChangeAfter(absl::Time time, absl::TimeZone zone) {
  absl::TimeZone::CivilTransition change;
  return zone.NextTransition(time, &change) ? InstantOf(change, zone)
                                            : absl::InfiniteFuture();
}

// The last change of the clock up to `time`.
absl::Time ChangeUntil(absl::Time time, absl::TimeZone zone) {
  absl::TimeZone::CivilTransition change;
  return zone.PrevTransition(WholeSecond(time) + kSecond, &change)
             ? InstantOf(change, zone)
             : absl::InfinitePast();
}

// What the clock shows at `time`, or, where it shows that a second time, what
// it showed when it was put back: all before that was shown already.
absl::CivilSecond FirstShown(absl::Time time, absl::TimeZone zone) {
  const absl::CivilSecond shown = absl::ToCivilSecond(time, zone);
  const absl::TimeZone::TimeInfo info = zone.At(shown);
  if (info.kind != absl::TimeZone::TimeInfo::REPEATED || time < info.trans) {
    return shown;
  }
  return absl::ToCivilSecond(info.trans - kSecond, zone) + 1;
}

// When a fixed time is due: after the gap where it is skipped, and the first
// time where it is repeated. Never falls as `minute` rises.
absl::Time DueAt(absl::CivilMinute minute, absl::TimeZone zone) {
  const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(minute));
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

}  // namespace

absl::StatusOr<Schedule> Schedule::Parse(absl::string_view text,
                                         absl::TimeZone zone,
                                         absl::Time anchor) {
  SLUICE_ASSIGN_OR_RETURN(CronText parsed, TakeApart(text));
  Schedule schedule;
  schedule.zone_ = zone;
  if (!parsed.zone.empty()) {
    absl::StatusOr<absl::TimeZone> named = FindTimeZone(parsed.zone);
    if (!named.ok()) {
      return FaultAt(parsed.zone_column, "zone", named.status().message(),
                     HintOf(named.status()));
    }
    schedule.zone_ = *named;
    schedule.text_ = absl::StrCat("CRON_TZ=", parsed.zone, " ");
  }
  absl::StrAppend(&schedule.text_, parsed.text);
  schedule.fields_ = parsed.fields;
  schedule.period_ = parsed.period;
  schedule.anchor_ = WholeSecond(std::clamp(anchor, Earliest(), Latest()));
  if (parsed.fields.has_value()) {
    schedule.shortest_interval_ = ShortestDistance(*parsed.fields);
    schedule.follows_real_time_ =
        parsed.fields->any_minute || parsed.fields->any_hour;
  } else {
    schedule.shortest_interval_ = parsed.period;
  }
  return schedule;
}

absl::Time Schedule::Next(absl::Time after) const {
  after = std::max(after, Earliest());
  if (after >= Latest()) return absl::InfiniteFuture();
  if (fields_.has_value()) {
    return follows_real_time_ ? NextReal(after) : NextFixed(after);
  }
  return anchor_ + absl::Floor(after - anchor_, period_) + period_;
}

absl::Time Schedule::Previous(absl::Time before) const {
  before = std::min(before, Latest());
  if (before <= Earliest()) return absl::InfinitePast();
  if (fields_.has_value()) {
    return follows_real_time_ ? PreviousReal(before) : PreviousFixed(before);
  }
  return anchor_ + absl::Ceil(before - anchor_, period_) - period_;
}

absl::Duration Schedule::IntervalAfter(absl::Time time) const {
  const absl::Time first = Next(time);
  return Next(first) - first;
}

absl::optional<absl::CivilMinute> Schedule::FirstOnTheWall(
    absl::CivilMinute from, absl::CivilMinute until) const {
  if (!fields_.has_value() || from >= until) return absl::nullopt;
  const absl::optional<absl::CivilMinute> found = FirstMatch(*fields_, from);
  return found.has_value() && *found < until ? found : absl::nullopt;
}

absl::Time Schedule::NextFixed(absl::Time after) const {
  // What is due later was not shown before.
  absl::CivilMinute minute(FirstShown(after, zone_));
  for (;;) {
    const absl::optional<absl::CivilMinute> found =
        FirstMatch(*fields_, minute);
    if (!found.has_value()) return absl::InfiniteFuture();
    const absl::Time due = DueAt(*found, zone_);
    if (due > after) return due;
    minute = *found + 1;
  }
}

absl::Time Schedule::PreviousFixed(absl::Time before) const {
  // The last minute that was shown begun before that instant.
  const absl::Time last = before - absl::Nanoseconds(1);
  absl::CivilMinute minute(FirstShown(last, zone_));
  for (;;) {
    const absl::optional<absl::CivilMinute> found = LastMatch(*fields_, minute);
    if (!found.has_value()) return absl::InfinitePast();
    const absl::Time due = DueAt(*found, zone_);
    if (due < before) return due;
    minute = *found - 1;
  }
}

absl::Time Schedule::NextReal(absl::Time after) const {
  absl::TimeZone::CivilInfo shown = zone_.At(after);
  absl::CivilMinute minute = absl::CivilMinute(shown.cs) + 1;
  for (;;) {
    const absl::Time end = ChangeAfter(after, zone_);
    const absl::optional<absl::CivilMinute> found =
        FirstMatch(*fields_, minute);
    if (!found.has_value()) return absl::InfiniteFuture();
    const absl::Time due = Instant(*found, shown.offset);
    if (due < end) return due;
    after = end;
    shown = zone_.At(after);
    minute = Ceiling(shown.cs);
  }
}

absl::Time Schedule::PreviousReal(absl::Time before) const {
  for (;;) {
    const absl::Time last = before - absl::Nanoseconds(1);
    const absl::TimeZone::CivilInfo shown = zone_.At(last);
    const absl::optional<absl::CivilMinute> found =
        LastMatch(*fields_, absl::CivilMinute(shown.cs));
    if (!found.has_value()) return absl::InfinitePast();
    const absl::Time begin = ChangeUntil(last, zone_);
    const absl::Time due = Instant(*found, shown.offset);
    if (due >= begin) return due;
    before = begin;
  }
}

int64_t Schedule::Count(absl::Time after, absl::Time until) const {
  after = std::max(after, Earliest());
  until = std::min(until, Latest());
  if (after >= until) return 0;
  if (!fields_.has_value()) {
    absl::Duration rest;
    return absl::IDivDuration(absl::Floor(until - anchor_, period_) -
                                  absl::Floor(after - anchor_, period_),
                              period_, &rest);
  }
  // All times are whole seconds.
  const absl::Time stop = WholeSecond(until) + kSecond;
  int64_t count = 0;
  for (absl::Time from = WholeSecond(after) + kSecond; from < stop;) {
    const absl::Time end = std::min(stop, ChangeAfter(from, zone_));
    count += CountWithin(from, end);
    from = end;
  }
  return count;
}

// Of [from, end), within which no clock changes; one may at `from`.
int64_t Schedule::CountWithin(absl::Time from, absl::Time end) const {
  const absl::CivilSecond first = absl::ToCivilSecond(from, zone_);
  const absl::CivilMinute until =
      Ceiling(first + absl::ToInt64Seconds(end - from));
  if (follows_real_time_) {
    return CountMatches(*fields_, Ceiling(first), until);
  }
  int64_t count =
      CountMatches(*fields_, Ceiling(FirstShown(from, zone_)), until);
  // What a gap skipped is due at its end, once with what is due there anyhow.
  const absl::CivilSecond before =
      absl::ToCivilSecond(from - kSecond, zone_) + 1;
  if (before < first &&
      FirstOnTheWall(Ceiling(before), Ceiling(first)).has_value() &&
      !FirstOnTheWall(Ceiling(first), absl::CivilMinute(first) + 1)) {
    ++count;
  }
  return count;
}

}  // namespace sluice::service
