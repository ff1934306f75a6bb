#include "sluice/service/schedule/zone.h"

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(ZoneTest, KnowsTheMachinesZonesAndUtc) {
  EXPECT_EQ(FindTimeZone("Europe/Berlin")->name(), "Europe/Berlin");
  EXPECT_EQ(FindTimeZone("America/Argentina/Buenos_Aires")->name(),
            "America/Argentina/Buenos_Aires");
  EXPECT_EQ(FindTimeZone("Etc/GMT-14")->name(), "Etc/GMT-14");
  EXPECT_EQ(*FindTimeZone("UTC"), absl::UTCTimeZone());
}

TEST(ZoneTest, EachNameThatIsListedIsFound) {
  const std::vector<std::string> names = TimeZoneNames();
  EXPECT_THAT(names, SizeIs(::testing::Gt(300)));
  EXPECT_THAT(names, Contains("Europe/Berlin"));
  EXPECT_THAT(names, Not(Contains(HasSubstr("posix"))));
  EXPECT_THAT(names, Not(Contains("localtime")));
  for (const std::string& name : names) {
    EXPECT_TRUE(FindTimeZone(name).ok()) << name;
  }
}

TEST(ZoneTest, RefusesWhatIsNoNameWhateverFileIsThere) {
  for (const char* name : {"",
                           "localtime",
                           "libc:localtime",
                           "/etc/localtime",
                           "/usr/share/zoneinfo/Europe/Berlin",
                           "../zoneinfo/Europe/Berlin",
                           "Europe/../Europe/Berlin",
                           "Europe//Berlin",
                           "Europe/Berlin/",
                           "/Europe/Berlin",
                           "Europe",
                           "posix/Europe/Berlin",
                           "right/Europe/Berlin",
                           "posixrules",
                           "leapseconds",
                           "tzdata.zi",
                           "Fixed/UTC+01:00:00",
                           "Factory",
                           "UTC+1",
                           "+01:00",
                           "CEST",
                           "Europe/Berlin\n",
                           "europe/berlin",
                           "utc",
                           "Z"}) {
    const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(name);
    EXPECT_EQ(ErrorCodeOf(zone.status()), kInvalidArgument) << name;
    EXPECT_NE(HintOf(zone.status()), "") << name;
  }
  EXPECT_FALSE(FindTimeZone(std::string(1000, 'A')).ok());
  EXPECT_FALSE(FindTimeZone(absl::string_view("UTC\0", 4)).ok());
}

TEST(ZoneTest, SaysWhichZoneWasMeant) {
  EXPECT_EQ(HintOf(FindTimeZone("Europe/Berln").status()),
            "did you mean \"Europe/Berlin\"?");
  EXPECT_EQ(HintOf(FindTimeZone("europe/berlin").status()),
            "did you mean \"Europe/Berlin\"?");
  EXPECT_EQ(HintOf(FindTimeZone("Tokyo").status()),
            "did you mean \"Asia/Tokyo\"?");
  EXPECT_THAT(HintOf(FindTimeZone("Mars/Olympus_Mons").status()),
              HasSubstr("UTC"));
}

// In a process of its own. No real name: a zone that was loaded is remembered.
int WithoutTzdata() {
  setenv("TZDIR", "/nonexistent", 1);
  const absl::Status status = FindTimeZone("Europe/Atlantis").status();
  const bool said =
      absl::StrContains(status.message(), "no time zones in /nonexistent") &&
      absl::StrContains(HintOf(status), "install tzdata");
  return said && FindTimeZone("UTC").ok() && TimeZoneNames().empty() ? 0 : 1;
}

TEST(ZoneTest, AMachineWithoutTzdataSaysSoAndKnowsUtc) {
  EXPECT_EXIT(std::exit(WithoutTzdata()), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sluice::service
