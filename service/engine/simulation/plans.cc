#include "sluice/service/engine/simulation/plans.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/service/schedule/due.h"
#include "sluice/service/schedule/zone.h"

namespace sluice::service {
namespace {

// Whole hours, halves and quarters; north, south and none; a change by half an
// hour, one at midnight, one over the date line.
const std::vector<std::string>& Zones() {
  static const auto* const kZones = new std::vector<std::string>{
      "UTC",
      "Europe/Berlin",
      "Europe/London",
      "Europe/Dublin",
      "Europe/Lisbon",
      "Europe/Moscow",
      "Europe/Athens",
      "Europe/Kyiv",
      "Europe/Istanbul",
      "Atlantic/Azores",
      "Atlantic/Reykjavik",
      "America/New_York",
      "America/Chicago",
      "America/Denver",
      "America/Phoenix",
      "America/Los_Angeles",
      "America/Anchorage",
      "America/St_Johns",
      "America/Halifax",
      "America/Havana",
      "America/Asuncion",
      "America/Santiago",
      "America/Sao_Paulo",
      "America/Mexico_City",
      "Africa/Cairo",
      "Africa/Casablanca",
      "Africa/Lagos",
      "Asia/Beirut",
      "Asia/Jerusalem",
      "Asia/Tehran",
      "Asia/Kolkata",
      "Asia/Kathmandu",
      "Asia/Tokyo",
      "Asia/Gaza",
      "Australia/Sydney",
      "Australia/Adelaide",
      "Australia/Lord_Howe",
      "Pacific/Auckland",
      "Pacific/Chatham",
      "Pacific/Kiritimati",
  };
  return *kZones;
}

SimSchedule At(int minute, const std::set<int>& hours) {
  SimSchedule schedule;
  schedule.minutes = {minute};
  schedule.hours = hours;
  schedule.text =
      absl::StrCat(minute, " ", absl::StrJoin(hours, ","), " * * *");
  return schedule;
}

SimSchedule Every(absl::Duration period, absl::Time now) {
  SimSchedule schedule;
  schedule.period = period;
  schedule.anchor = absl::FromUnixSeconds(absl::ToUnixSeconds(now));
  schedule.text = absl::StrCat("@every ", absl::FormatDuration(period));
  return schedule;
}

SimSchedule OnDays(int minute, int hour, const std::set<int>& days,
                   const std::set<int>& weekdays) {
  SimSchedule schedule = At(minute, {hour});
  schedule.days = days;
  schedule.weekdays = weekdays;
  schedule.text = absl::StrCat(
      minute, " ", hour, " ", days.empty() ? "*" : absl::StrJoin(days, ","),
      " * ", weekdays.empty() ? "*" : absl::StrJoin(weekdays, ","));
  return schedule;
}

SimSchedule DrawSchedule(int index, bool slow, absl::Time now, SimDraw& draw) {
  const int minute = static_cast<int>(draw.Number(0, 59));
  const int hour = static_cast<int>(draw.Number(0, 23));
  switch (slow ? draw.Number(0, 5) : draw.Number(0, 8)) {
    case 0:  // most plans of the world
      return At(0, {hour});
    case 1:  // where clocks change
      return At(30, {static_cast<int>(draw.Number(0, 3))});
    case 2:
      return At(minute, {hour});
    case 3:
      return OnDays(minute, hour, {}, {static_cast<int>(draw.Number(0, 6))});
    case 4:
      return OnDays(minute, hour, {}, {1, 2, 3, 4, 5});
    case 5:
      if (slow || draw.OneIn(2)) return OnDays(minute, hour, {1, 15, 31}, {});
      return Every(absl::Hours(draw.Number(20, 60)), now);
    case 6:
      return At(minute, {hour, (hour + 7) % 24});
    case 7: {
      SimSchedule schedule;
      schedule.real_time = true;
      schedule.minutes = {minute};
      if (index % 20 != 7) {  // else each hour
        for (int each = 0; each < 24; each += 6) schedule.hours.insert(each);
      }
      schedule.text = absl::StrCat(
          minute, schedule.hours.empty() ? " *" : " */6", " * * *");
      return schedule;
    }
    default:
      return Every(absl::Minutes(draw.Number(3, 20) * 90), now);
  }
}

void DrawPolicy(PlanSpec& spec, SimDraw& draw) {
  switch (draw.Number(0, 5)) {
    case 0:
      spec.set_catch_up_ms(0);  // none
      break;
    case 1:
      spec.set_catch_up_ms(
          absl::ToInt64Milliseconds(absl::Minutes(draw.Number(10, 600))));
      break;
    case 2:
      spec.set_window("22:00-05:00");
      break;
    case 3:
      spec.set_window("09:30-11:00");
      if (draw.OneIn(2)) {
        spec.set_catch_up_ms(absl::ToInt64Milliseconds(absl::Hours(10)));
      }
      break;
    default:
      break;
  }
  if (draw.OneIn(4)) spec.set_attempts(uint32_t(draw.Number(1, 5)));
  if (draw.OneIn(6)) {
    spec.set_retry_for_ms(
        absl::ToInt64Milliseconds(absl::Minutes(draw.Number(5, 120))));
  }
}

}  // namespace

SimPlan DrawPlan(int index, bool slow, absl::Time now, SimDraw& draw) {
  SimPlan drawn;
  drawn.created = now;
  drawn.schedule = DrawSchedule(index, slow, now, draw);
  const std::string& zone = draw.Any(Zones());
  drawn.zone = *FindTimeZone(zone);
  drawn.plan.set_id(absl::StrCat("plan-", index));
  drawn.plan.set_name(drawn.plan.id());
  drawn.plan.set_revision(1);
  drawn.plan.set_created_at_ms(absl::ToUnixMillis(now));
  drawn.plan.set_updated_at_ms(absl::ToUnixMillis(now));
  PlanSpec& spec = *drawn.plan.mutable_spec();
  // Some plans are of one store.
  spec.set_source(
      absl::StrCat("memory:?load=/", index % 4 == 1 ? index - 1 : index));
  spec.add_repos("r1");
  if (index % 10 == 0) spec.add_repos("r2");
  spec.set_schedule(drawn.schedule.text);
  spec.set_zone(zone);
  const absl::Duration window =
      draw.OneIn(3) ? absl::ZeroDuration() : absl::Minutes(5);
  spec.set_jitter_ms(absl::ToInt64Milliseconds(window));
  drawn.jitter = StableJitter(drawn.plan.id(), window);
  DrawPolicy(spec, draw);
  return drawn;
}

absl::Time DrawBegin(SimDraw& draw) {
  static const auto* const kChanges = new std::vector<absl::CivilDay>{
      absl::CivilDay(2027, 3, 14), absl::CivilDay(2027, 3, 28),
      absl::CivilDay(2027, 4, 4),  absl::CivilDay(2027, 4, 30),
      absl::CivilDay(2027, 9, 5),  absl::CivilDay(2027, 9, 26),
      absl::CivilDay(2027, 10, 3), absl::CivilDay(2027, 10, 31),
      absl::CivilDay(2027, 11, 7), absl::CivilDay(2028, 2, 29)};
  return absl::FromCivil(absl::CivilSecond(draw.Any(*kChanges)),
                         absl::UTCTimeZone()) -
         draw.Span(absl::Hours(24), absl::Hours(24 * 28));
}

}  // namespace sluice::service
