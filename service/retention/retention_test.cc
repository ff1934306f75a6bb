#include "sluice/service/retention/retention.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/retention/testing/history.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Duration kDay = absl::Hours(24);
const absl::Time kNoon = absl::FromUnixSeconds(1'793'707'200);  // 2026-11-03

TEST(RetentionTest, SaysEachRuleThatWantsAnArchive) {
  RetentionInput input = HistoryUntil(
      kNoon, 10, kDay,
      "keep_last=2 keep_within=36h keep_hourly=1 keep_daily=7 keep_weekly=2 "
      "keep_monthly=2 keep_yearly=1");
  EXPECT_EQ(WhyOf(input, "009"),
            "last (1 of 2), within 36h of 2026-11-03 12:00, hourly "
            "2026-11-03T12+00:00 (1 of 1), daily 2026-11-03 (1 of 7), weekly "
            "2026-W45 (1 of 2), monthly 2026-11 (1 of 2), yearly 2026 (1 of "
            "1), newest");
  EXPECT_EQ(WhyOf(input, "008"),
            "last (2 of 2), within 36h of 2026-11-03 12:00, daily 2026-11-02 "
            "(2 of 7)");
  EXPECT_EQ(WhyOf(input, "007"),
            "daily 2026-11-01 (3 of 7), weekly 2026-W44 (2 of 2)");
  EXPECT_EQ(WhyOf(input, "006"),
            "daily 2026-10-31 (4 of 7), monthly 2026-10 (2 of 2)");
  EXPECT_EQ(WhyOf(input, "000"), "no rule wants it");
  EXPECT_EQ(RemovedBy(input), "000 001 002");
}

TEST(RetentionTest, AnArchiveStaysIfAnyRuleWantsIt) {
  EXPECT_EQ(RemovedBy(HistoryUntil(kNoon, 10, kDay, "keep_last=3")),
            "000 001 002 003 004 005 006");
  EXPECT_EQ(RemovedBy(HistoryUntil(kNoon, 10, kDay, "keep_within=5d")),
            "000 001 002 003 004");
  EXPECT_EQ(
      RemovedBy(HistoryUntil(kNoon, 10, kDay, "keep_last=3 keep_within=5d")),
      "000 001 002 003 004");
}

TEST(RetentionTest, SumsUp) {
  RetentionInput input = HistoryUntil(kNoon, 6, kDay, "keep_last=2");
  input.archives[0].pin.emplace().reason = "audit";
  input.archives[1].in_use = "restore 01J";
  const auto decision = DecideRetention(input);
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->summary.considered, 6u);
  EXPECT_EQ(decision->summary.removed, 2u);
  EXPECT_EQ(decision->summary.removed_bytes, 1000u);
  EXPECT_EQ(decision->summary.held_by_pin, 1u);
  EXPECT_EQ(decision->summary.held_by_floor, 1u);
}

TEST(RetentionTest, APinHoldsUntilItsEnd) {
  RetentionInput input = HistoryUntil(kNoon, 3, kDay, "keep_last=1");
  input.archives[0].pin = {input.now + absl::Minutes(1), "audit"};
  EXPECT_EQ(WhyOf(input, "000"), "pinned until 2026-11-03 13:01: audit");
  EXPECT_EQ(RemovedBy(input), "001");
  input.now += absl::Minutes(1);
  EXPECT_EQ(RemovedBy(input), "000 001");
  input.archives[0].pin = {absl::InfiniteFuture(), ""};
  EXPECT_EQ(WhyOf(input, "000"), "pinned");
}

TEST(RetentionTest, APinTakesNoPlaceOfAnotherArchive) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=2");
  input.archives[0].pin.emplace();
  EXPECT_EQ(RemovedBy(input), "001");
}

TEST(RetentionTest, TheNewestThatIsVerifiedStays) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=1");
  input.archives[0].verified_at = kNoon;
  input.archives[1].verified_at = kNoon;
  EXPECT_EQ(WhyOf(input, "001"), "newest that is verified");
  EXPECT_EQ(RemovedBy(input), "000 002");
  input.archives[1].damaged = true;  // found later
  EXPECT_EQ(WhyOf(input, "000"), "newest that is verified");
}

TEST(RetentionTest, BasesOfWhatStaysStay) {
  RetentionInput input = HistoryUntil(kNoon, 6, kDay, "keep_last=1");
  // 000 <- 001 <- 002; 003 <- 004 <- 005.
  for (int i : {1, 2, 4, 5})
    input.archives[i].base_id = input.archives[i - 1].id;
  EXPECT_EQ(WhyOf(input, "004"), "base of 005");
  EXPECT_EQ(WhyOf(input, "003"), "base of 004");
  // Each before what it builds on.
  EXPECT_EQ(RemovedBy(input), "002 001 000");
}

TEST(RetentionTest, RemovesTheOldestFirstButNoBaseBeforeItsIncrements) {
  RetentionInput input = HistoryUntil(kNoon, 6, kDay, "keep_last=1");
  input.archives[3].base_id = "000";
  EXPECT_EQ(RemovedBy(input), "001 002 003 000 004");
}

TEST(RetentionTest, WhatAnotherPlanBuildsOnStays) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=1");
  input.archives[2].others = true;
  input.archives[2].base_id = "001";
  EXPECT_EQ(RemovedBy(input), "000");
  EXPECT_EQ(WhyOf(input, "001"), "base of 002");
  EXPECT_EQ(WhyOf(input, "002"), "no such archive");
}

TEST(RetentionTest, DamageGoesOnceANewerArchiveIsVerified) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=3");
  input.archives[2].damaged = true;
  EXPECT_EQ(WhyOf(input, "002"), "damaged, and no newer archive is verified");
  input.archives[1].verified_at = kNoon;
  EXPECT_EQ(RemovedBy(input), "");
  input.archives[3].verified_at = kNoon;
  EXPECT_EQ(RemovedBy(input), "002");
  EXPECT_EQ(WhyOf(input, "002"), "damaged, and 003 is newer and verified");
}

TEST(RetentionTest, WhatBuildsOnDamageIsDamagedToo) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=1");
  input.archives[2].damaged = true;
  input.archives[3].base_id = "002";
  EXPECT_EQ(WhyOf(input, "001"), "last (1 of 1), newest that is sound");
  EXPECT_EQ(RemovedBy(input), "000");
}

TEST(RetentionTest, WhatCannotBeReadStaysAndFillsNoRule) {
  RetentionInput input = HistoryUntil(kNoon, 5, kDay, "keep_last=2");
  input.archives[3].unreadable = true;
  EXPECT_EQ(WhyOf(input, "003"), "cannot be read");
  // What it builds on nobody can say.
  EXPECT_EQ(WhyOf(input, "002"),
            "last (2 of 2), may be the base of 003, which is unreadable");
  EXPECT_EQ(RemovedBy(input), "000 001");
}

TEST(RetentionTest, AnIncrementWhoseBaseCannotBeReadStays) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=1");
  input.archives[0].unreadable = true;
  input.archives[1].base_id = "000";
  EXPECT_EQ(WhyOf(input, "001"), "what it builds on cannot be read");
  EXPECT_EQ(RemovedBy(input), "002");
}

TEST(RetentionTest, AnArchiveThatIsBeingWrittenHoldsItsChain) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=1");
  input.archives[3].finished = false;
  input.archives[3].base_id = "001";
  input.archives[1].base_id = "000";
  EXPECT_EQ(WhyOf(input, "000"),
            "base of 001, in use: base of 003, being written");
  EXPECT_EQ(WhyOf(input, "002"), "last (1 of 1), newest");
  EXPECT_EQ(RemovedBy(input), "");
}

TEST(RetentionTest, ALittleAheadOfTheClockIsThePresent) {
  RetentionInput input = HistoryUntil(kNoon, 3, kDay, "keep_last=1");
  input.now = kNoon - absl::Minutes(5);
  EXPECT_EQ(RemovedBy(input), "000 001");
  input.now -= absl::Seconds(1);
  EXPECT_EQ(RemovedBy(input), "");
}

TEST(RetentionTest, CirclesOfBasesAreDamageAndEndNothing) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=1");
  input.archives[0].base_id = "001";
  input.archives[1].base_id = "000";
  EXPECT_EQ(RemovedBy(input), "002");
  input.archives[3].verified_at = kNoon;
  EXPECT_EQ(RemovedBy(input), "002 000 001");
}

TEST(RetentionTest, RefusesRulesAndIdsThatCannotBe) {
  RetentionInput input = HistoryUntil(kNoon, 2, kDay, "keep_last=1");
  input.rules.keep_daily = -1;
  EXPECT_THAT(std::string(DecideRetention(input).status().message()),
              HasSubstr("keep_daily"));
  input.rules.keep_daily = 0;
  input.archives[1].id = "000";
  EXPECT_EQ(ErrorCodeOf(DecideRetention(input).status()), kInvalidArgument);
  input.archives[1].id = "";
  EXPECT_EQ(ErrorCodeOf(DecideRetention(input).status()), kInvalidArgument);
  EXPECT_TRUE(DecideRetention(RetentionInput())->verdicts.empty());
}

// Shrinking.

RetentionInput ShrunkTo(uint64_t bytes) {
  RetentionInput input = HistoryUntil(kNoon, 6, kDay, "keep_last=3");
  input.archives[5].plain_size_bytes = bytes;
  return input;
}

TEST(ShrinkTest, SuspendsRemovalAndSaysWhy) {
  EXPECT_EQ(RemovedBy(ShrunkTo(500)), "000 001 002");
  EXPECT_EQ(RemovedBy(ShrunkTo(499)), "");
  EXPECT_EQ(WhyOf(ShrunkTo(499), "000"),
            "no rule wants it, but removal is suspended");
  const auto decision = DecideRetention(ShrunkTo(499));
  ASSERT_EQ(decision->suspended.size(), 1u);
  EXPECT_EQ(decision->suspended[0].kind, RetentionSuspension::Kind::kShrunk);
  EXPECT_EQ(decision->suspended[0].text,
            "archive 005 shrank: its size of 499 is more than 50% below the "
            "usual 1000");
}

TEST(ShrinkTest, IsOffAtZero) {
  RetentionInput input = ShrunkTo(0);
  input.rules.max_shrink = 0;
  EXPECT_EQ(RemovedBy(input), "000 001 002");
}

TEST(ShrinkTest, OfACountIsOneToo) {
  RetentionInput input = ShrunkTo(1000);
  input.archives[2].counts = {{"keys", 800}, {"tables", 4}};
  input.archives[5].counts = {{"keys", 300}, {"views", 1}};
  EXPECT_EQ(RemovedBy(input), "");
  input.archives[5].counts["keys"] = 400;
  EXPECT_EQ(RemovedBy(input), "000 001 002");
}

TEST(ShrinkTest, LastsHoweverManySmallOnesFollow) {
  RetentionInput input = ShrunkTo(100);
  for (int i = 0; i < 30; ++i) {
    input.now += kDay;
    input.archives.push_back(
        FullArchive(absl::StrFormat("1%02d", i), input.now - absl::Hours(1)));
    input.archives.back().plain_size_bytes = 100;
    EXPECT_EQ(RemovedBy(input), "") << i;
  }
}

TEST(ShrinkTest, EndsWhenAPersonAgrees) {
  RetentionInput input = ShrunkTo(100);
  input.shrink_accepted_at = input.now;
  EXPECT_EQ(RemovedBy(input), "000 001 002");
  // From then on that is the size it has.
  input.archives.push_back(FullArchive("006", input.now + absl::Hours(2)));
  input.archives.back().plain_size_bytes = 90;
  input.now += absl::Hours(3);
  EXPECT_EQ(RemovedBy(input), "000 001 002 003");
  input.archives.back().plain_size_bytes = 40;
  EXPECT_EQ(RemovedBy(input), "");
}

TEST(ShrinkTest, EndsWithAnArchiveOfTheUsualSize) {
  RetentionInput input = ShrunkTo(100);
  input.archives.push_back(FullArchive("006", input.now));
  input.now += absl::Hours(1);
  EXPECT_EQ(RemovedBy(input), "000 001 002 003");
}

TEST(ShrinkTest, OneLargeArchiveMakesNoOtherSmall) {
  RetentionInput input = ShrunkTo(1000);
  input.archives[4].plain_size_bytes = 1'000'000;
  EXPECT_EQ(RemovedBy(input), "000 001 002");
}

TEST(ShrinkTest, IncrementsAreSmallByNature) {
  RetentionInput input = ShrunkTo(3);
  input.archives[5].base_id = "004";
  EXPECT_EQ(RemovedBy(input), "000 001 002");
}

// Archives named by their ids.

std::string Named(const RetentionInput& input,
                  const std::vector<std::string>& ids,
                  const std::set<RetentionReasonKind>& overrides = {}) {
  const auto removal = DecideNamedRemoval(input, ids, overrides);
  if (!removal.ok()) return ErrorCodeOf(removal.status());
  std::string text = absl::StrJoin(removal->removals, " ");
  for (const RefusedRemoval& refused : removal->refused) {
    EXPECT_NE(HintOf(refused.status), "");
    absl::StrAppend(&text, refused.id, " ", RetentionReasonWord(refused.floor),
                    " ", ErrorCodeOf(refused.status), "; ");
  }
  return text;
}

TEST(NamedRemovalTest, GoesWhateverTheRulesSay) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "keep_last=10");
  EXPECT_EQ(Named(input, {"002", "000", "000"}), "000 002");
  input.archives[1].damaged = true;
  EXPECT_EQ(Named(input, {"001"}), "001");
}

TEST(NamedRemovalTest, EachFloorHasAnOverrideOfItsOwn) {
  RetentionInput input = HistoryUntil(kNoon, 6, kDay, "");
  input.archives[0].pin.emplace();
  input.archives[1].in_use = "verify 01J";
  input.archives[2].verified_at = kNoon;
  input.archives[4].base_id = "003";
  const struct {
    const char* id;
    RetentionReasonKind floor;
    const char* code;
  } cases[] = {
      {"000", RetentionReasonKind::kPinned, "archive_protected"},
      {"001", RetentionReasonKind::kInUse, "archive_in_use"},
      {"002", RetentionReasonKind::kNewestVerified, "archive_protected"},
      {"003", RetentionReasonKind::kBase, "archive_protected"},
      {"005", RetentionReasonKind::kNewest, "archive_protected"},
  };
  std::set<RetentionReasonKind> all;
  for (const auto& it : cases) all.insert(it.floor);
  for (const auto& [id, floor, code] : cases) {
    const std::string refusal =
        absl::StrCat(id, " ", RetentionReasonWord(floor), " ", code, "; ");
    EXPECT_EQ(Named(input, {id}), refusal);
    EXPECT_EQ(Named(input, {id}, {floor}), id);
    std::set<RetentionReasonKind> others = all;
    others.erase(floor);
    EXPECT_EQ(Named(input, {id}, others), refusal);
    EXPECT_EQ(*ParseRetentionFloor(RetentionReasonWord(floor)), floor);
  }
  EXPECT_EQ(ErrorCodeOf(ParseRetentionFloor("daily").status()),
            kInvalidArgument);
}

TEST(NamedRemovalTest, AllGoOrNone) {
  const RetentionInput input = HistoryUntil(kNoon, 3, kDay, "keep_last=1");
  EXPECT_EQ(Named(input, {"000", "002"}), "002 newest archive_protected; ");
}

TEST(NamedRemovalTest, AWholeChainMayBeNamed) {
  RetentionInput input = HistoryUntil(kNoon, 4, kDay, "");
  input.archives[1].base_id = "000";
  input.archives[2].base_id = "001";
  EXPECT_EQ(Named(input, {"000", "001", "002"}), "002 001 000");
  EXPECT_EQ(Named(input, {"000", "002"}), "000 base archive_protected; ");
}

TEST(NamedRemovalTest, UnknownIdsAndThoseOfOtherPlansAreErrors) {
  RetentionInput input = HistoryUntil(kNoon, 3, kDay, "");
  input.archives[1].others = true;
  EXPECT_EQ(Named(input, {"777"}), "archive_not_found");
  EXPECT_EQ(Named(input, {""}), "archive_not_found");
  EXPECT_EQ(Named(input, {"000", "001"}), "invalid_argument");
}

TEST(NamedRemovalTest, TheNewestStaysWhereTheNewestOfAllIsDamaged) {
  RetentionInput input = HistoryUntil(kNoon, 3, kDay, "");
  input.archives[2].damaged = true;
  EXPECT_EQ(Named(input, {"001"}), "001 newest archive_protected; ");
  EXPECT_EQ(Named(input, {"002"}), "002 newest archive_protected; ");
}

TEST(GroupTest, IsOfAPlanAStoreAndARepo) {
  const auto row = [](const char* plan, const char* store, const char* repo,
                      const char* id) {
    return RetentionRow{plan, store, repo, FullArchive(id, kNoon)};
  };
  const std::vector<RetentionGroup> groups =
      GroupForRetention({row("p", "s1", "r", "a"), row("p", "s2", "r", "b"),
                         row("q", "s1", "r", "c"), row("p", "s1", "r2", "d")});
  std::vector<std::string> texts;
  for (const RetentionGroup& group : groups) {
    std::string text =
        absl::StrCat(group.plan_id, " ", group.store_id, " ", group.repo_id);
    for (const RetentionArchive& archive : group.archives)
      absl::StrAppend(&text, archive.others ? " -" : " +", archive.id);
    texts.push_back(text);
  }
  EXPECT_THAT(texts, ElementsAre("p s1 r +a -c", "p s1 r2 +d", "p s2 r +b",
                                 "q s1 r -a +c"));
  EXPECT_THAT(GroupForRetention({}), IsEmpty());
}

}  // namespace
}  // namespace sluice::service
