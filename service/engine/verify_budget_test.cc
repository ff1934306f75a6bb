#include "sluice/service/engine/verify_budget.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/engine/housekeeping.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kDay = absl::Hours(24);

VerifyCandidate Archive(const std::string& id, uint64_t size,
                        absl::Time proven_at, const std::string& base = "") {
  VerifyCandidate candidate;
  candidate.id = id;
  candidate.size_bytes = size;
  candidate.proven_at = proven_at;
  candidate.base_id = base;
  return candidate;
}

// --- what is due

TEST(VerifyBudgetTest, OneArchiveIsReadOnceInItsSpan) {
  const absl::Time start = absl::FromUnixSeconds(1800000000);
  std::vector<VerifyCandidate> archives = {Archive("a", 100, start)};
  absl::Time last = absl::InfinitePast();
  int read = 0;
  for (int day = 1; day <= 90; ++day) {
    const absl::Time now = start + day * kDay;
    if (DecideVerification(archives, 30 * kDay, now, last).empty()) continue;
    archives[0].proven_at = now;
    last = now;
    ++read;
  }
  EXPECT_EQ(read, 3);
}

TEST(VerifyBudgetTest, IncrementsAndWhatTheyBuildOnAreReadTogether) {
  const absl::Time now = absl::FromUnixSeconds(1800000000);
  const absl::Time long_ago = now - 40 * kDay;
  EXPECT_THAT(DecideVerification({Archive("full", 100, now - kDay),
                                  Archive("inc1", 1, long_ago, "full"),
                                  Archive("inc2", 1, now - kDay, "inc1"),
                                  Archive("new", 100, now)},
                                 30 * kDay, now, now - kDay),
              UnorderedElementsAre("full", "inc1", "inc2"));
}

TEST(VerifyBudgetTest, WhatIsKnownToBeDamagedIsPassedOver) {
  const absl::Time now = absl::FromUnixSeconds(1800000000);
  const absl::Time long_ago = now - 40 * kDay;
  std::vector<VerifyCandidate> archives = {
      Archive("broken", 1, long_ago), Archive("on_it", 1, long_ago, "broken"),
      Archive("circle", 1, long_ago, "circle"), Archive("sound", 1, long_ago)};
  archives[0].damaged = true;
  EXPECT_THAT(DecideVerification(archives, 30 * kDay, now, now - kDay),
              ElementsAre("sound"));
  EXPECT_THAT(DecideVerification({}, 30 * kDay, now, now - kDay), IsEmpty());
}

TEST(VerifyBudgetTest, AnOutageIsMadeUpForByTwoSharesADay) {
  const absl::Time now = absl::FromUnixSeconds(1800000000);
  std::vector<VerifyCandidate> archives;
  for (int i = 0; i < 290; ++i) {
    archives.push_back(
        Archive(absl::StrCat("a", 100 + i), 10, now - 60 * kDay));
  }
  // 290 in 29 days: 10 a day.
  EXPECT_THAT(DecideVerification(archives, 30 * kDay, now, now - 60 * kDay),
              SizeIs(20));
}

// Ninety days with a backup each day, some large: each archive that is there is
// proven in any thirty days, and no day reads much more than another.
TEST(VerifyBudgetTest, NinetyDaysProveAllInThirtyAndSpreadItEvenly) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  for (int round = 0; round < 8; ++round) {
    const int kept = 20 + static_cast<int>(random() % 60);
    const bool from_the_start = random() % 2 == 0;
    absl::Time now = absl::FromUnixSeconds(1800000000);
    std::map<std::string, VerifyCandidate> archives;
    int made = 0;
    const auto make = [&] {
      const std::string id = absl::StrCat("a", 100000 + made++);
      archives[id] = Archive(id, 50 + random() % 100, now);
    };
    if (from_the_start) {
      while (static_cast<int>(archives.size()) < kept) make();
    }
    absl::Time last = absl::InfinitePast();
    for (int day = 0; day < 90; ++day) {
      make();
      if (static_cast<int>(archives.size()) > kept) {
        archives.erase(archives.begin());
      }
      std::vector<VerifyCandidate> rows;
      double total = 0;
      double largest = 0;
      for (const auto& [id, archive] : archives) {
        rows.push_back(archive);
        total += archive.size_bytes;
        largest = std::max<double>(largest, archive.size_bytes);
      }
      double read = 0;
      const auto due = DecideVerification(rows, 30 * kDay, now, last);
      for (const std::string& id : due) {
        read += archives[id].size_bytes;
        archives[id].proven_at = now;
      }
      if (!due.empty()) last = now;
      EXPECT_LE(read, std::max(2.1 * total / 29, largest)) << "day " << day;
      for (const auto& [id, archive] : archives) {
        ASSERT_LE(now - archive.proven_at, 30 * kDay)
            << id << " of " << archives.size() << " on day " << day;
      }
      // A pass is late now and then.
      now += kDay + absl::Minutes(random() % 30);
    }
  }
}

// --- in a catalog

class AskForVerificationTest : public ::testing::Test {
 protected:
  AskForVerificationTest() : plan_(house_.HourlyPlan(house_.store_uri())) {
    clock_.Advance(absl::FromUnixSeconds(1800000000) - clock_.Now());
    plan_.mutable_spec()->set_verify("all in 30d");
    PlanTarget target;
    target.plan_id = plan_.id();
    target.repo_id = house_.repo_id();
    EXPECT_TRUE(house_.catalog()
                    .plans()
                    .AddPlan(house_.context(), plan_, {target})
                    .ok());
  }

  void AddRecord(const std::string& id, absl::Time created_at) {
    BackupRecord record;
    record.set_id(id);
    record.set_repo_id(house_.repo_id());
    record.set_plan_id(plan_.id());
    record.set_size_bytes(100);
    record.set_created_at_ms(absl::ToUnixMillis(created_at));
    ASSERT_TRUE(
        house_.catalog().CreateBackupRecord(house_.context(), record).ok());
  }

  absl::Status Ask(Catalog& catalog) {
    return AskForDueVerification(house_.context(), catalog, clock_, plan_,
                                 house_.repo_id());
  }

  std::vector<BackupJob> Jobs() {
    CatalogFilter filter;
    filter.kind = BackupJob::VERIFY;
    std::vector<BackupJob> jobs;
    const auto rows = house_.catalog().ListJobs(house_.context(), filter);
    for (const CatalogJob& entry : *rows) jobs.push_back(entry.job);
    return jobs;
  }

  std::vector<std::string> AskedFor(const BackupJob& job) {
    const auto request =
        house_.catalog().queue().GetRequest(house_.context(), job.id());
    return {request->backup_ids().begin(), request->backup_ids().end()};
  }

  // Ends the pending job as a worker would.
  void End(BackupJob job, absl::string_view code) {
    const auto claimed = house_.catalog().queue().Claim(
        house_.context(), {clock_.Now(), 0, job.id()});
    ASSERT_TRUE(claimed.ok() && claimed->has_value());
    job = (*claimed)->job;
    job.set_status(code.empty() ? BackupJob::SUCCEEDED : BackupJob::FAILED);
    job.set_error_code(std::string(code));
    ASSERT_TRUE(house_.catalog().UpdateBackupJob(house_.context(), job).ok());
  }

  TestHouse house_;
  FakeClock clock_;
  Plan plan_;
};

TEST_F(AskForVerificationTest, ADayHasOneJobHoweverManyServicesPass) {
  AddRecord("01OLD", clock_.Now() - 40 * kDay);
  const auto other = house_.OpenCatalogAgain();
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  ASSERT_TRUE(Ask(*other).ok());
  ASSERT_THAT(Jobs(), SizeIs(1));
  EXPECT_EQ(Jobs()[0].plan_id(), plan_.id());
  EXPECT_THAT(AskedFor(Jobs()[0]), ElementsAre("01OLD"));
  End(Jobs()[0], kDestinationUnreachable);
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  EXPECT_THAT(Jobs(), SizeIs(1)) << "this day had its share";
  clock_.Advance(kDay);
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  EXPECT_THAT(Jobs(), SizeIs(2)) << "and could not even look at it";
}

TEST_F(AskForVerificationTest, OneThatFailsDoesNotKeepTheOthersFromTheirTurn) {
  AddRecord("01GONE", clock_.Now() - 50 * kDay);
  AddRecord("01OLD", clock_.Now() - 40 * kDay);
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  EXPECT_THAT(AskedFor(Jobs()[0]), ElementsAre("01GONE"));
  End(Jobs()[0], kArchiveNotFound);
  clock_.Advance(kDay);
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  ASSERT_THAT(Jobs(), SizeIs(2));
  EXPECT_THAT(AskedFor(Jobs()[1]), ElementsAre("01OLD"));
}

TEST_F(AskForVerificationTest, AJobThatIsNotOverIsNotAskedForAgain) {
  AddRecord("01OLD", clock_.Now() - 40 * kDay);
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  clock_.Advance(2 * kDay);
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  EXPECT_THAT(Jobs(), SizeIs(1));
}

TEST_F(AskForVerificationTest, WhatWasVerifiedLatelyOrByNobodysRuleIsLeft) {
  AddRecord("01NEW", clock_.Now());
  ASSERT_TRUE(house_.catalog()
                  .SetVerified(house_.context(), "01NEW",
                               BackupRecord::AUTHENTIC, clock_.Now())
                  .ok());
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  EXPECT_THAT(Jobs(), IsEmpty());
  AddRecord("01OLD", clock_.Now() - 40 * kDay);
  plan_.mutable_spec()->set_verify("");
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  EXPECT_THAT(Jobs(), IsEmpty());
  // As a service of old may have stored it.
  plan_.mutable_spec()->set_verify("weekly, please");
  EXPECT_EQ(ErrorCodeOf(Ask(house_.catalog())), kInvalidArgument);
}

TEST_F(AskForVerificationTest, ItWaitsWhileARunWorksOnTheRepo) {
  AddRecord("01OLD", clock_.Now() - 40 * kDay);
  const QueuedRun backup = house_.ClaimBackup(plan_);
  ASSERT_TRUE(Ask(house_.catalog()).ok());
  JobQueue& queue = house_.catalog().queue();
  const auto meanwhile = queue.Claim(house_.context(), {clock_.Now()});
  ASSERT_TRUE(meanwhile.ok()) << meanwhile.status();
  EXPECT_FALSE(meanwhile->has_value());
  BackupJob ended = backup.job;
  ended.set_status(BackupJob::SUCCEEDED);
  ASSERT_TRUE(house_.catalog().UpdateBackupJob(house_.context(), ended).ok());
  const auto then = queue.Claim(house_.context(), {clock_.Now()});
  ASSERT_TRUE(then.ok() && then->has_value());
  EXPECT_EQ((*then)->job.kind(), BackupJob::VERIFY);
}

TEST_F(AskForVerificationTest, TheDailyPassAsksForIt) {
  AddRecord("01OLD", clock_.Now() - 40 * kDay);
  HousekeepingOptions options;
  options.clock = &clock_;
  Housekeeping(&house_.catalog(), &house_.host(), options)
      .DailyPass(house_.context());
  EXPECT_THAT(Jobs(), SizeIs(1));
}

}  // namespace
}  // namespace sluice::service
