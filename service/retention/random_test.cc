// Random histories against the definition, and what holds in each of them.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/environment.h"
#include "sluice/service/retention/retention.h"
#include "sluice/service/retention/testing/history.h"
#include "sluice/service/retention/testing/reference.h"

namespace sluice::service {
namespace {

// Zones and a time at which each did something unusual.
constexpr struct {
  const char* zone;
  const char* around;
} kPlaces[] = {
    {"UTC", "2024-03-01 00:00"},
    {"Europe/Berlin", "2026-10-25 01:00"},
    {"Europe/Berlin", "2026-03-29 01:00"},
    {"America/New_York", "2021-01-01 05:00"},
    {"America/Goose_Bay", "2010-11-07 03:01"},    // back to the day before
    {"America/Sao_Paulo", "2018-11-04 03:00"},    // no midnight
    {"Australia/Lord_Howe", "2026-04-04 15:00"},  // half an hour
    {"Pacific/Apia", "2011-12-30 10:00"},         // no December 30
    {"Pacific/Kwajalein", "1993-08-21 12:00"},    // no August 21
    {"Asia/Kathmandu", "1986-01-01 00:00"},       // a quarter of an hour
    {"Africa/Casablanca", "2026-02-15 02:00"},
    {"Antarctica/Troll", "2026-10-25 01:00"},  // two hours
};

class HistoryMaker {
 public:
  explicit HistoryMaker(uint64_t seed) : random_(seed) {}

  int64_t Below(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }
  bool Percent(int64_t chance) { return Below(100) < chance; }

  RetentionRules MakeRules() {
    RetentionRules rules;
    for (int64_t RetentionRules::*count :
         {&RetentionRules::keep_last, &RetentionRules::keep_hourly,
          &RetentionRules::keep_daily, &RetentionRules::keep_weekly,
          &RetentionRules::keep_monthly, &RetentionRules::keep_yearly}) {
      if (Percent(25)) rules.*count = 1 + Below(5);
    }
    if (Percent(25)) {
      rules.keep_within = {Percent(20) ? Below(3) : 0,
                           Percent(30) ? Below(14) : 0, Below(40),
                           Percent(50) ? Below(30) : 0};
    }
    rules.max_shrink = Percent(50) ? 0 : 1 + Below(99);
    return rules;
  }

  RetentionInput Make() {
    RetentionInput input;
    const auto& place = kPlaces[Below(std::size(kPlaces))];
    input.zone = ZoneOf(place.zone);
    input.rules = MakeRules();
    absl::Time time = At(place.around) - absl::Hours(Below(60));
    const int64_t scale = Below(4);
    const int64_t flaws = Percent(50) ? 0 : 1;
    const int64_t count = Below(26);
    for (int64_t i = 0; i < count; ++i) {
      time += Gap(scale);
      input.archives.push_back(MakeArchive(i, time, flaws, input.archives));
    }
    input.now = time + absl::Minutes(Below(3000) - 4);
    if (Percent(4)) input.now = time - absl::Hours(Below(50));
    for (RetentionArchive& archive : input.archives) {
      if (Percent(8))
        archive.pin = {input.now + absl::Hours(Below(20) - 10), "p"};
    }
    if (Percent(30)) input.shrink_accepted_at = time - absl::Hours(Below(100));
    std::shuffle(input.archives.begin(), input.archives.end(), random_);
    return input;
  }

  std::mt19937_64& random() { return random_; }

 private:
  absl::Duration Gap(int64_t scale) {
    if (Percent(5)) return absl::ZeroDuration();
    if (Percent(5)) return absl::Hours(24 * Below(400));
    switch (Percent(80) ? scale : Below(4)) {
      case 0:
        return absl::Milliseconds(Below(3'000'000));
      case 1:
        return absl::Minutes(Below(20 * 60));
      case 2:
        return absl::Hours(18 + Below(12));
      default:
        return absl::Hours(24 * (5 + Below(30)));
    }
  }

  RetentionArchive MakeArchive(int64_t number, absl::Time time, int64_t flaws,
                               const std::vector<RetentionArchive>& before) {
    RetentionArchive archive =
        FullArchive(absl::StrFormat("%02d", number), time);
    archive.plain_size_bytes =
        static_cast<uint64_t>(Percent(10) ? Below(1000) : 900 + Below(200));
    if (Percent(50)) archive.counts["keys"] = static_cast<uint64_t>(Below(100));
    if (Percent(30)) archive.verified_at = time;
    if (Percent(50) && !before.empty()) {
      archive.base_id =
          before[Percent(80) ? before.size() - 1
                             : static_cast<size_t>(Below(before.size()))]
              .id;
    }
    // Missing ones, itself, and some that come later.
    if (Percent(flaws * 4))
      archive.base_id = absl::StrFormat("%02d", Below(30));
    archive.damaged = Percent(flaws * 12);
    archive.unreadable = Percent(flaws * 6);
    archive.finished = !Percent(flaws * 4);
    archive.others = Percent(flaws * 10);
    if (Percent(flaws * 5)) archive.in_use = "a job";
    return archive;
  }

  std::mt19937_64 random_;
};

uint64_t Seed() {
  const char* given = std::getenv("SLUICE_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10)
                          : std::random_device{}();
}

int64_t Histories() { return IsSlowBuild() ? 10'000 / FaultStride() : 10'000; }

std::string Show(const RetentionInput& input) {
  std::string text = absl::StrCat("zone ", input.zone.name(), ", now ",
                                  absl::FormatTime(input.now), ", rules ",
                                  FormatRetentionRules(input.rules), "\n");
  for (const RetentionArchive& archive : input.archives) {
    absl::StrAppend(
        &text, archive.id, " ",
        absl::FormatTime(archive.created_at, input.zone),
        " base=", archive.base_id, archive.finished ? "" : " unfinished",
        archive.others ? " others" : "", archive.damaged ? " damaged" : "",
        archive.unreadable ? " unreadable" : "",
        archive.pin.has_value() ? " pin" : "",
        archive.verified_at.has_value() ? " verified" : "", " ", archive.in_use,
        " ", archive.plain_size_bytes, "\n");
  }
  return text;
}

std::string Words(const std::set<RetentionReasonKind>& kinds) {
  return absl::StrJoin(kinds, " ", [](std::string* out, auto kind) {
    absl::StrAppend(out, RetentionReasonWord(kind));
  });
}

// Each archive with its reasons, as both have them.
void ExpectAsDefined(const RetentionInput& input,
                     const RetentionDecision& decision) {
  ReferenceDecision expected = DecideByDefinition(input);
  EXPECT_EQ(decision.suspended.empty(), !expected.suspended);
  EXPECT_EQ(decision.verdicts.size(), expected.reasons.size());
  for (const RetentionVerdict& verdict : decision.verdicts) {
    std::set<RetentionReasonKind> kinds;
    for (const RetentionReason& reason : verdict.reasons)
      kinds.insert(reason.kind);
    EXPECT_EQ(Words(kinds), Words(expected.reasons[verdict.id])) << verdict.id;
    EXPECT_EQ(verdict.keep, expected.removed.count(verdict.id) == 0)
        << verdict.id;
  }
}

bool IsInACircle(const RetentionInput& input, const std::string& id) {
  std::map<std::string, std::string> bases;
  for (const RetentionArchive& archive : input.archives)
    bases[archive.id] = archive.base_id;
  std::string at = bases[id];
  for (size_t i = 0; i < bases.size() && at != id; ++i) at = bases[at];
  return at == id;
}

// Each before what it builds on, and none left without it.
void ExpectWholeChains(const RetentionInput& input,
                       const std::vector<std::string>& removals) {
  const auto place = [&](const std::string& id) {
    return std::find(removals.begin(), removals.end(), id) - removals.begin();
  };
  const auto end = static_cast<ptrdiff_t>(removals.size());
  for (const RetentionArchive& archive : input.archives) {
    if (place(archive.base_id) == end) continue;
    EXPECT_NE(place(archive.id), end) << archive.id << " loses its base";
    if (!IsInACircle(input, archive.id)) {
      EXPECT_LT(place(archive.id), place(archive.base_id));
    }
  }
}

TEST(RandomTest, DecidesAsTheDefinitionDoes) {
  const uint64_t seed = Seed();
  std::cout << "seed " << seed << "\n";
  HistoryMaker maker(seed);
  int removed = 0;
  int suspended = 0;
  for (int i = 0; i < Histories(); ++i) {
    RetentionInput input = maker.Make();
    const RetentionInput asked = input;
    const auto decision = DecideRetention(input);
    ASSERT_TRUE(decision.ok()) << decision.status();
    ExpectAsDefined(input, *decision);
    ExpectWholeChains(input, decision->removals);
    removed += static_cast<int>(decision->removals.size());
    suspended += decision->suspended.empty() ? 0 : 1;
    // The order in which they are given does not matter.
    std::shuffle(input.archives.begin(), input.archives.end(), maker.random());
    EXPECT_EQ(DecideRetention(input)->removals, decision->removals);
    // What was decided is done with: a second pass finds nothing more.
    Prune(input);
    EXPECT_EQ(RemovedBy(input), "");
    if (::testing::Test::HasFailure()) FAIL() << i << ": " << Show(asked);
  }
  std::cout << removed << " removed, " << suspended << " suspended\n";
  EXPECT_GT(removed, Histories());
  EXPECT_GT(suspended, Histories() / 20);
}

TEST(RandomTest, NoFloorGivesWayUnlessItIsNamed) {
  const uint64_t seed = Seed();
  std::cout << "seed " << seed << "\n";
  HistoryMaker maker(seed);
  int refused = 0;
  int removed = 0;
  for (int i = 0; i < Histories(); ++i) {
    const RetentionInput input = maker.Make();
    SCOPED_TRACE(Show(input));
    std::set<std::string> named;
    for (const RetentionArchive& archive : input.archives) {
      if (!archive.others && maker.Percent(15)) named.insert(archive.id);
    }
    std::set<RetentionReasonKind> overrides;
    for (auto floor :
         {RetentionReasonKind::kNewest, RetentionReasonKind::kNewestVerified,
          RetentionReasonKind::kPinned, RetentionReasonKind::kBase,
          RetentionReasonKind::kInUse}) {
      if (maker.Percent(30)) overrides.insert(floor);
    }
    std::set<std::string> expected;
    const auto floors = ReferenceFloors(input, named);
    for (const auto& [id, kinds] : floors) {
      for (auto kind : kinds) {
        if (named.count(id) == 0 || overrides.count(kind) > 0) continue;
        expected.insert(absl::StrCat(id, " ", RetentionReasonWord(kind)));
      }
    }
    const auto removal =
        DecideNamedRemoval(input, {named.begin(), named.end()}, overrides);
    ASSERT_TRUE(removal.ok()) << removal.status();
    std::set<std::string> actual;
    for (const RefusedRemoval& one : removal->refused)
      actual.insert(absl::StrCat(one.id, " ", RetentionReasonWord(one.floor)));
    ASSERT_EQ(actual, expected);
    ASSERT_EQ(removal->removals.size(), expected.empty() ? named.size() : 0);
    if (overrides.count(RetentionReasonKind::kBase) == 0)
      ExpectWholeChains(input, removal->removals);
    refused += expected.empty() ? 0 : 1;
    removed += expected.empty() ? 1 : 0;
  }
  EXPECT_GT(refused, Histories() / 10);
  EXPECT_GT(removed, Histories() / 10);
}

// Passes of each day of a year, then of each year of a century, in which no
// backup succeeds; then backups succeed again.
TEST(RandomTest, NothingIsLostWhileBackupsFailForYears) {
  const uint64_t seed = Seed();
  std::cout << "seed " << seed << "\n";
  HistoryMaker maker(seed);
  for (int i = 0; i < 20; ++i) {
    RetentionInput input = HistoryUntil(
        At("2026-11-03 12:00"), 30, absl::Hours(7 + 3 * maker.Below(9)), "");
    input.rules = maker.MakeRules();
    for (size_t k = 1; k < input.archives.size(); ++k) {
      if (maker.Percent(70))
        input.archives[k].base_id = input.archives[k - 1].id;
      if (maker.Percent(10)) input.archives[k].verified_at = input.now;
    }
    SCOPED_TRACE(Show(input));
    Prune(input);
    const size_t kept = input.archives.size();
    ASSERT_EQ(input.archives.back().id, "029");
    for (int pass = 0; pass < 366 + 100; ++pass) {
      input.now += absl::Hours(24 * (pass < 366 ? 1 : 365));
      Prune(input);
      ASSERT_EQ(input.archives.size(), kept) << pass;
    }
    for (int day = 0; day < 40; ++day) {
      input.now += absl::Hours(24);
      const std::string id = absl::StrFormat("1%02d", day);
      input.archives.push_back(FullArchive(id, input.now));
      Prune(input);
      ASSERT_EQ(input.archives.back().id, id);
    }
  }
}

}  // namespace
}  // namespace sluice::service
