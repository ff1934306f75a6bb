#include "sluice/executor/ulid.h"

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"

namespace sluice {
namespace {

TEST(UlidTest, DrawsDistinctNamesOfTheClocksTime) {
  FakeClock clock;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string ulid = NewUlid(clock);
    EXPECT_TRUE(IsUlid(ulid)) << ulid;
    EXPECT_EQ(TimeOfUlid(ulid), clock.Now());
    EXPECT_TRUE(seen.insert(ulid).second);
  }
}

TEST(UlidTest, SortsByTime) {
  FakeClock clock;
  std::string last = NewUlid(clock);
  for (int i = 0; i < 100; ++i) {
    clock.Advance(absl::Milliseconds(1 + i * 7919));
    const std::string next = NewUlid(clock);
    EXPECT_LT(last, next);
    last = next;
  }
}

TEST(UlidTest, ReadsTheSpecificationsExample) {
  EXPECT_TRUE(IsUlid("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  EXPECT_EQ(TimeOfUlid("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            absl::FromUnixMillis(1469922850259));
}

TEST(UlidTest, StaysInRangeWhereTheClockIsNot) {
  FakeClock clock;
  clock.SetNow(absl::InfinitePast());
  EXPECT_EQ(TimeOfUlid(NewUlid(clock)), absl::UnixEpoch());
  clock.SetNow(absl::InfiniteFuture());
  EXPECT_TRUE(IsUlid(NewUlid(clock)));
}

TEST(UlidTest, RefusesWhatIsNoUlid) {
  for (const absl::string_view text :
       {"", "..", "../victim", "01ARZ3NDEKTSV4RRFFQ69G5FA",
        "01ARZ3NDEKTSV4RRFFQ69G5FAVX", "01arz3ndektsv4rrffq69g5fav",
        "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        "01ARZ3NDEKTSV4RRFFQ69G5FA/"}) {
    EXPECT_FALSE(IsUlid(text)) << text;
    EXPECT_EQ(TimeOfUlid(text), absl::InfinitePast());
  }
  EXPECT_FALSE(IsUlid(absl::string_view("01ARZ3NDEKTSV4RRFFQ69G5FA\0", 26)));
}

TEST(UlidTest, TakesPrefixesAsTyped) {
  EXPECT_TRUE(IsUlidPrefix("0"));
  EXPECT_TRUE(IsUlidPrefix("01arz3"));
  EXPECT_TRUE(IsUlidPrefix("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  EXPECT_FALSE(IsUlidPrefix(""));
  EXPECT_FALSE(IsUlidPrefix("9"));
  EXPECT_FALSE(IsUlidPrefix("latest"));
  EXPECT_FALSE(IsUlidPrefix("01ARZ3NDEKTSV4RRFFQ69G5FAV0"));
}

TEST(UlidTest, FormatsTimesToTheMillisecondInUtc) {
  EXPECT_EQ(FormatTimestamp(absl::FromUnixMillis(1469922850259)),
            "2016-07-30T23:54:10.259Z");
}

}  // namespace
}  // namespace sluice
