#include "sluice/service/schedule/preview.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace sluice::service {
namespace {

constexpr char kTimeOfDay[] = "%H:%M";

std::string TimeOfDay(absl::CivilMinute minute) {
  return absl::FormatTime(kTimeOfDay,
                          absl::FromCivil(minute, absl::UTCTimeZone()),
                          absl::UTCTimeZone());
}

absl::CivilMinute MinuteFrom(absl::CivilSecond second) {
  const absl::CivilMinute minute(second);
  return second.second() == 0 ? minute : minute + 1;
}

// The last minute that `schedule` names and the clock skipped in
// (after, until].
absl::optional<absl::CivilMinute> SkippedWithin(const Schedule& schedule,
                                                absl::Time after,
                                                absl::Time until) {
  absl::optional<absl::CivilMinute> found;
  absl::TimeZone::CivilTransition change;
  const absl::TimeZone zone = schedule.zone();
  absl::Time at = after;
  while (zone.NextTransition(at, &change)) {
    const absl::TimeZone::TimeInfo info = zone.At(change.to);
    at = info.kind == absl::TimeZone::TimeInfo::UNIQUE ? info.pre : info.trans;
    if (at > until) break;
    const auto skipped =
        schedule.FirstOnTheWall(MinuteFrom(change.from), MinuteFrom(change.to));
    if (skipped.has_value()) found = skipped;
  }
  return found;
}

std::string NoteFor(const Schedule& schedule, absl::Time after,
                    absl::Time time) {
  const absl::TimeZone zone = schedule.zone();
  const absl::TimeZone::CivilInfo shown = zone.At(time);
  const absl::CivilMinute minute(shown.cs);
  const std::string here =
      absl::StrCat(TimeOfDay(minute), " ", shown.zone_abbr);
  const auto skipped = SkippedWithin(schedule, after, time);
  if (skipped.has_value()) {
    return absl::StrCat(
        TimeOfDay(*skipped), " does not exist on ",
        absl::FormatCivilTime(absl::CivilDay(*skipped)), ": ",
        schedule.follows_real_time() ? "left out, the next is at " : "runs at ",
        here);
  }
  if (!schedule.FirstOnTheWall(minute, minute + 1).has_value()) return "";
  const absl::TimeZone::TimeInfo info = zone.At(shown.cs);
  if (info.kind != absl::TimeZone::TimeInfo::REPEATED) return "";
  return absl::StrCat(TimeOfDay(minute), " comes twice on ",
                      absl::FormatCivilTime(absl::CivilDay(minute)), ": ",
                      !schedule.follows_real_time() ? "runs the first time, at "
                      : time < info.trans           ? "this is the first, "
                                                    : "this is the second, ",
                      here);
}

}  // namespace

std::vector<PlannedTime> PreviewTimes(const Schedule& schedule,
                                      absl::Time after, int count) {
  std::vector<PlannedTime> times;
  while (static_cast<int>(times.size()) < count) {
    const absl::Time time = schedule.Next(after);
    if (time == absl::InfiniteFuture()) break;
    PlannedTime planned;
    planned.nominal = time;
    planned.local =
        absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, schedule.zone());
    planned.zone = schedule.zone().At(time).zone_abbr;
    planned.utc =
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
    planned.note = NoteFor(schedule, after, time);
    times.push_back(std::move(planned));
    after = time;
  }
  return times;
}

}  // namespace sluice::service
