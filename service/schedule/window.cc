#include "sluice/service/schedule/window.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

constexpr int kWholeDay = 24 * 60;

// Minutes of "HH:MM"; -1 where it is none.
int TimeOfDay(absl::string_view text) {
  if (text.size() != 5 || text[2] != ':') return -1;
  for (size_t i : {0, 1, 3, 4}) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) return -1;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const int time = hour * 60 + minute;
  return minute < 60 && time <= kWholeDay ? time : -1;
}

}  // namespace

absl::StatusOr<DailyWindow> DailyWindow::Parse(absl::string_view text) {
  const size_t dash = text.find('-');
  const int begin = TimeOfDay(text.substr(0, dash));
  const int end =
      dash == absl::string_view::npos ? -1 : TimeOfDay(text.substr(dash + 1));
  if (begin < 0 || end < 0 || begin == kWholeDay || begin == end) {
    return InvalidArgument(
        absl::StrCat("window \"", absl::CHexEscape(text.substr(0, 32)), "\": ",
                     begin >= 0 && begin == end
                         ? "it ends as it begins"
                         : "these are no two times of day"),
        "as in 22:00-05:00, or 00:00-24:00");
  }
  return DailyWindow(begin, end);
}

std::string DailyWindow::text() const {
  return absl::StrFormat("%02d:%02d-%02d:%02d", begin_ / 60, begin_ % 60,
                         end_ / 60, end_ % 60);
}

bool DailyWindow::Contains(absl::Time time, absl::TimeZone zone) const {
  const absl::CivilMinute shown = absl::ToCivilMinute(time, zone);
  const int minute = shown.hour() * 60 + shown.minute();
  if (begin_ < end_) return begin_ <= minute && minute < end_;
  return begin_ <= minute || minute < end_;
}

absl::Time DailyWindow::NextWithin(absl::Time time, absl::TimeZone zone) const {
  if (Contains(time, zone)) return time;
  const absl::CivilDay today = absl::ToCivilDay(time, zone);
  for (int days = 0; days <= 7; ++days) {
    const absl::TimeZone::TimeInfo begin =
        zone.At(absl::CivilSecond(today + days) + begin_ * 60);
    for (absl::Time opens :
         {begin.kind == absl::TimeZone::TimeInfo::SKIPPED ? begin.trans
                                                          : begin.pre,
          begin.post}) {
      if (opens > time && Contains(opens, zone)) return opens;
    }
  }
  return absl::InfiniteFuture();
}

}  // namespace sluice::service
