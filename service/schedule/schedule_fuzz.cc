// Whatever parses must come out of text() as the same schedule, be due some
// day, and agree with itself forwards, backwards and counted. What does not
// parse must say where. A window must do the same.

#include <cstdint>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/service/schedule/cron.h"
#include "sluice/service/schedule/cron_text.h"
#include "sluice/service/schedule/due.h"
#include "sluice/service/schedule/preview.h"
#include "sluice/service/schedule/window.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(const sluice::service::Schedule& schedule, absl::Time begin) {
  absl::Time time = begin;
  for (int i = 0; i < 3; ++i) {
    const absl::Time next = schedule.Next(time);
    Require(next > time && next < absl::InfiniteFuture());
    Require(schedule.Previous(next + absl::Seconds(1)) == next);
    Require(schedule.Previous(next) <= time);
    time = next;
  }
  Require(schedule.Count(begin, time) == 3);
  Require(schedule.shortest_interval() >= absl::Seconds(1));
  Require(sluice::service::PreviewTimes(schedule, begin, 2).size() == 2);
  const sluice::service::DueDecision decision = sluice::service::DecideDue(
      schedule, {}, {begin, absl::nullopt}, begin + absl::Hours(1000));
  Require(decision.missed.size() <= sluice::service::kMaxListedMissed);
  Require(decision.next_due > begin + absl::Hours(1000));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto window = sluice::service::DailyWindow::Parse(text);
  if (window.ok()) {
    Require(sluice::service::DailyWindow::Parse(window->text()).ok());
    const absl::Time now = absl::FromUnixSeconds(1'900'000'000);
    Require(window->NextWithin(now, absl::UTCTimeZone()) <
            now + absl::Hours(24));
  }
  // To say which zone was meant reads tzdata's folders: not each time.
  const auto parts = sluice::service::TakeApart(text);
  if (parts.ok() && !parts->zone.empty() && size % 16 != 0) return 0;
  const auto schedule = sluice::service::Schedule::Parse(text);
  if (!schedule.ok()) {
    Require(absl::StrContains(schedule.status().message(), "column "));
    Require(!sluice::HintOf(schedule.status()).empty());
    return 0;
  }
  const auto again = sluice::service::Schedule::Parse(schedule->text());
  Require(again.ok() && again->text() == schedule->text());
  // Around a clock change of Europe and one of America.
  for (const int64_t seconds : {1'806'195'600, 1'825'480'800}) {
    const absl::Time begin = absl::FromUnixSeconds(seconds - 7200);
    Require(again->Next(begin) == schedule->Next(begin));
    Check(*schedule, begin);
  }
  return 0;
}
