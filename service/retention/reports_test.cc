// What users of other programs met, each by where they told it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/retention/retention.h"
#include "sluice/service/retention/testing/history.h"

namespace sluice::service {
namespace {

const absl::Duration kOneDay = absl::Hours(24);
const absl::Time kLast = absl::FromUnixSeconds(1'793'707'200);  // 2026-11-03

// eduardolat/pgbackweb#121, lionelpere/azure-devops-repository-backup#8
TEST(ReportsTest, WhileBackupsFailNothingMoreExpires) {
  RetentionInput input = HistoryUntil(kLast, 20, kOneDay, "keep_age_days=7");
  Prune(input);
  EXPECT_EQ(input.archives.size(), 7u);
  for (int day = 0; day < 60; ++day) {  // each of them fails
    input.now += kOneDay;
    EXPECT_EQ(RemovedBy(input), "") << day;
  }
}

// Portabase/portabase#332
TEST(ReportsTest, ADamagedArchiveTakesNoPlaceOfAGoodOne) {
  RetentionInput input = HistoryUntil(kLast, 5, kOneDay, "keep_last=2");
  input.archives[3].damaged = true;
  input.archives[4].damaged = true;
  EXPECT_EQ(WhyOf(input, "001"), "last (2 of 2)");
  EXPECT_EQ(WhyOf(input, "002"), "last (1 of 2), newest that is sound");
}

// David-Crty/databasement#26, borgbackup/borg#3908
TEST(ReportsTest, EachStoreAndEachPlanIsCountedByItself) {
  std::vector<RetentionRow> rows;
  for (const char* plan : {"hourly", "weekly"})
    for (const char* store : {"jenkins", "redmine"}) {
      const std::string id = absl::StrCat(plan, "-", store);
      rows.push_back({plan, store, "repo", FullArchive(id, kLast)});
    }
  for (const RetentionGroup& group : GroupForRetention(rows)) {
    RetentionInput input;
    input.archives = group.archives;
    input.rules.keep_daily = 7;
    input.now = kLast;
    EXPECT_EQ(KeptBy(input), absl::StrCat(group.plan_id, "-", group.store_id));
    EXPECT_EQ(RemovedBy(input), "");
  }
}

// databasus/databasus#773
TEST(ReportsTest, DailyArchivesBecomeWeeklyMonthlyAndYearlyOnes) {
  RetentionInput input =
      HistoryUntil(At("2022-01-01 12:06"), 1, kOneDay,
                   "keep_daily=7 keep_weekly=4 keep_monthly=12 keep_yearly=3");
  while (input.now < kLast) {
    input.now += kOneDay;
    input.archives.push_back(
        FullArchive(absl::FormatTime("%Y-%m-%d", input.now, input.zone),
                    input.now - absl::Hours(1)));
    Prune(input);
  }
  // 2026-11-03 is a Tuesday; weeks end on Sundays.
  EXPECT_EQ(KeptBy(input),
            "2024-12-31 2025-12-31 2026-01-31 2026-02-28 2026-03-31 "
            "2026-04-30 2026-05-31 2026-06-30 2026-07-31 2026-08-31 "
            "2026-09-30 2026-10-18 2026-10-25 2026-10-28 2026-10-29 "
            "2026-10-30 2026-10-31 2026-11-01 2026-11-02 2026-11-03");
}

// restic/restic#5193
TEST(ReportsTest, ASourceThatStoppedLosesNothingToTime) {
  RetentionInput input = HistoryUntil(
      kLast, 400, kOneDay, "keep_within=30d keep_daily=40 keep_monthly=6");
  Prune(input);
  const std::string kept = KeptBy(input);
  input.now += 3000 * kOneDay;
  EXPECT_EQ(KeptBy(input), kept);
}

// rustic-rs/rustic#1148
TEST(ReportsTest, AnIdThatIsNamedIsStillPinned) {
  RetentionInput input = HistoryUntil(kLast, 3, kOneDay, "keep_last=1");
  input.archives[0].pin = {absl::InfiniteFuture(), "never delete"};
  const auto removal = DecideNamedRemoval(input, {"000"}, {});
  ASSERT_TRUE(removal.ok());
  EXPECT_TRUE(removal->removals.empty());
  ASSERT_EQ(removal->refused.size(), 1u);
  EXPECT_EQ(removal->refused[0].status.message(),
            "archive 000 is not removed: pinned: never delete");
}

// rustic-rs/rustic#1191
TEST(ReportsTest, NamingNoIdRemovesNothing) {
  const RetentionInput input = HistoryUntil(kLast, 3, kOneDay, "keep_last=1");
  const auto removal = DecideNamedRemoval(input, {}, {});
  ASSERT_TRUE(removal.ok());
  EXPECT_TRUE(removal->removals.empty());
  EXPECT_TRUE(removal->refused.empty());
}

// kopia/kopia#1733, restic/restic#1519
TEST(ReportsTest, NoRuleOrRulesOfZeroKeepEverything) {
  for (const char* rules : {"", "keep_last=0", "keep_count=0 keep_age_days=0"})
    EXPECT_EQ(RemovedBy(HistoryUntil(kLast, 9, kOneDay, rules)), "") << rules;
  EXPECT_EQ(WhyOf(HistoryUntil(kLast, 9, kOneDay, ""), "000"),
            "no rule is set");
}

// restic/restic#3416, kopia/kopia#3736, berrym/btrfs-backup-ng#56
TEST(ReportsTest, AnArchiveFromTheFutureRemovesNothingAndCanBeRemoved) {
  RetentionInput input = HistoryUntil(
      kLast, 9, kOneDay, "keep_last=1 keep_within=30d keep_yearly=1");
  input.archives[0].created_at = At("2043-02-05 00:09");
  EXPECT_EQ(RemovedBy(input), "");
  const auto decision = DecideRetention(input);
  ASSERT_EQ(decision->suspended.size(), 1u);
  EXPECT_EQ(decision->suspended[0].kind, RetentionSuspension::Kind::kFuture);
  EXPECT_EQ(decision->suspended[0].archive_id, "000");
  // It is the newest of nothing.
  EXPECT_EQ(DecideNamedRemoval(input, {"000"}, {})->removals.size(), 1u);
  EXPECT_EQ(DecideNamedRemoval(input, {"008"}, {})->refused.size(), 1u);
}

// Altinity/clickhouse-backup#1493
TEST(ReportsTest, ABaseThatIsNamedIsHeldByItsIncrements) {
  RetentionInput input = HistoryUntil(kLast, 4, kOneDay, "keep_last=4");
  input.archives[1].base_id = "000";
  const auto removal = DecideNamedRemoval(input, {"000"}, {});
  ASSERT_EQ(removal->refused.size(), 1u);
  EXPECT_EQ(removal->refused[0].status.message(),
            "archive 000 is not removed: base of 001");
  EXPECT_EQ(HintOf(removal->refused[0].status),
            "name what builds on it, too; or override the floor \"base\"");
}

// velero-io/velero#9790
TEST(ReportsTest, WhatIsBeingRestoredIsNotRemovedNorWhatItBuildsOn) {
  RetentionInput input = HistoryUntil(kLast, 5, kOneDay, "keep_last=1");
  input.archives[1].base_id = "000";
  input.archives[1].in_use = "restore 01J";
  EXPECT_EQ(RemovedBy(input), "002 003");
  const auto removal = DecideNamedRemoval(input, {"000", "001"}, {});
  ASSERT_EQ(removal->refused.size(), 2u);
  for (const RefusedRemoval& refused : removal->refused)
    EXPECT_EQ(ErrorCodeOf(refused.status), kArchiveInUse);
}

// borgbackup/borg#7282, borgbackup/borg#1980
TEST(ReportsTest, DaysAreThoseOfThePlansZone) {
  // 23:30 and 00:30 of the next day in Berlin; one day in UTC.
  RetentionInput input;
  input.archives = {FullArchive("a", At("2026-10-23 21:30")),
                    FullArchive("b", At("2026-10-23 22:30"))};
  input.rules.keep_daily = 2;
  input.now = kLast;
  EXPECT_EQ(KeptBy(input), "b");
  input.zone = ZoneOf("Europe/Berlin");
  EXPECT_EQ(KeptBy(input), "a b");
  // A day of 25 hours is one.
  input.archives = {FullArchive("a", At("2026-10-24 22:00")),
                    FullArchive("b", At("2026-10-25 22:59"))};
  EXPECT_EQ(KeptBy(input), "b");
}

// jimsalterjrs/sanoid#155, zfsonlinux/pkg-zfs#100
TEST(ReportsTest, AnHourThatTheClockRepeatsIsTwo) {
  RetentionInput input =
      HistoryUntil(At("2026-10-25 02:10"), 4, absl::Hours(1), "keep_hourly=4");
  input.zone = ZoneOf("Europe/Berlin");
  EXPECT_EQ(KeptBy(input), "000 001 002 003");
  EXPECT_EQ(WhyOf(input, "001"), "hourly 2026-10-25T02+02:00 (3 of 4)");
  EXPECT_EQ(WhyOf(input, "002"), "hourly 2026-10-25T02+01:00 (2 of 4)");
}

// jollyjinx/ZFS-TimeMachine#16
TEST(ReportsTest, ALateStartMovesNoOtherArchiveIntoAnotherHour) {
  RetentionInput input =
      HistoryUntil(At("2026-10-25 13:00"), 5, absl::Hours(1), "keep_hourly=5");
  input.archives[2].created_at += absl::Seconds(59 * 60);
  EXPECT_EQ(KeptBy(input), "000 001 002 003 004");
  input.archives[4].created_at += absl::Seconds(59 * 60);
  EXPECT_EQ(KeptBy(input), "000 001 002 003 004");
}

// jgehrcke/timegaps#5
TEST(ReportsTest, TheLastOneStaysHoweverOldItIs) {
  RetentionInput input = HistoryUntil(kLast, 1, kOneDay, "keep_within=1h");
  input.now += 9999 * kOneDay;
  EXPECT_EQ(KeptBy(input), "000");
}

// vatesfr/xen-orchestra#2524
TEST(ReportsTest, ArchivesOfNothingPushOutNoGoodOnes) {
  RetentionInput input = HistoryUntil(kLast, 2, kOneDay, "keep_last=2");
  for (int i = 0; i < 3; ++i) {
    input.now += kOneDay;
    input.archives.push_back(
        FullArchive(absl::StrCat("empty", i), input.now - absl::Hours(1)));
    input.archives.back().plain_size_bytes = 0;
    Prune(input);
  }
  EXPECT_EQ(input.archives.size(), 5u);
}

// krutten in shieldproject/shield#27
TEST(ReportsTest, ASiteThatSleepsForHalfAYearHasItsArchivesInTheEnd) {
  RetentionInput input =
      HistoryUntil(kLast, 60, kOneDay, "keep_within=14d keep_weekly=4");
  for (int pass = 0; pass < 180; ++pass) {
    Prune(input);
    input.now += kOneDay;
  }
  EXPECT_EQ(input.archives.size(),
            15u);  // 14 days, and the end of a fourth week
}

}  // namespace
}  // namespace sluice::service
