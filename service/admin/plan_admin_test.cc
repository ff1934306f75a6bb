#include "sluice/service/admin/plan_admin.h"

#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class AdminTest : public ::testing::Test {
 protected:
  PlanWords Words() {
    PlanWords words;
    words.source = house_.store_uri();
    words.repos = {"disk"};
    words.fields = {{"cron", "0 2 * * *"}, {"keep_daily", "7"}};
    return words;
  }

  // Adds "nightly".
  Plan Add() {
    auto plan = admin_.Add(context_, "nightly", Words(), {});
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *plan;
  }

  TestHouse house_;
  const Context& context_ = house_.context();
  Catalog& catalog_ = house_.catalog();
  PlanAdmin admin_{&house_.catalog(), &house_.host(), Clock::Real()};
};

TEST_F(AdminTest, APlanIsStoredWithItsNextTime) {
  const Plan plan = Add();
  EXPECT_EQ(plan.spec().repos(0), house_.repo_id());
  const auto targets = catalog_.plans().ListTargets(context_, plan.id());
  ASSERT_THAT(*targets, SizeIs(1));
  EXPECT_GT(targets->at(0).next_due, absl::Now());
  EXPECT_EQ(admin_.NextTimes(context_, "nightly", 1)->at(0).nominal,
            targets->at(0).next_due);
}

TEST_F(AdminTest, WhatIsWrongStoresNothing) {
  PlanWords wrong = Words();
  wrong.fields.push_back({"zone", "Mars/Olympus"});
  EXPECT_EQ(ErrorCodeOf(admin_.Add(context_, "a", wrong, {}).status()),
            kInvalidArgument);
  wrong = Words();
  wrong.repos = {"disc"};
  EXPECT_EQ(ErrorCodeOf(admin_.Add(context_, "a", wrong, {}).status()),
            kRepoNotFound);
  wrong = Words();
  wrong.repos = {"disk", house_.repo_id()};
  EXPECT_THAT(
      std::string(admin_.Add(context_, "a", wrong, {}).status().message()),
      HasSubstr("twice"));
  wrong = Words();
  wrong.source = "memory:?load=" + house_.repo_folder();
  EXPECT_FALSE(admin_.Add(context_, "a", wrong, {}).ok())
      << "a repo would be in its own backup";
  EXPECT_THAT(*catalog_.plans().ListPlans(context_), IsEmpty());
}

TEST_F(AdminTest, ASourceThatCannotBeOpenedIsFoundUnlessAskedNotTo) {
  PlanWords words = Words();
  words.source = "memory:?load=/no/such/folder";
  EXPECT_THAT(
      std::string(admin_.Add(context_, "a", words, {}).status().message()),
      HasSubstr("cannot be opened"));
  PlanChecks unchecked;
  unchecked.open_source = false;
  EXPECT_TRUE(admin_.Add(context_, "a", words, unchecked).ok());
}

TEST_F(AdminTest, AnEditChangesWhatItNamesAlone) {
  const Plan before = Add();
  PlanWords words;
  words.fields = {{"keep_daily", ""}, {"keep_last", "3"}};
  const auto after = admin_.Edit(context_, "nightly", words, {}, "weekly");
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->id(), before.id());
  EXPECT_EQ(after->revision(), 2u);
  const auto stored = catalog_.plans().GetPlan(context_, "weekly");
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->spec().schedule(), "0 2 * * *");
  EXPECT_EQ(stored->spec().retention().keep_daily(), 0u);
  EXPECT_EQ(stored->spec().retention().keep_last(), 3u);
}

TEST_F(AdminTest, APausedPlanIsNeverDueAndAResumedOneNotAtOnce) {
  const Plan plan = Add();
  ASSERT_TRUE(admin_.SetPaused(context_, "nightly", true).ok());
  EXPECT_EQ(*catalog_.plans().NextRunAt(context_), absl::InfiniteFuture());
  EXPECT_THAT(*admin_.NextTimes(context_, "nightly", 5), IsEmpty());
  ASSERT_TRUE(admin_.SetPaused(context_, "nightly", false).ok());
  EXPECT_GT(*catalog_.plans().NextRunAt(context_), absl::Now());
  EXPECT_EQ(admin_.SetPaused(context_, "nightly", false)->revision(), 3u)
      << "what is so already is no change";
}

TEST_F(AdminTest, ASecondRunOfAPlanIsRefusedWithTheJobInTheWay) {
  Add();
  const auto first = admin_.RunNow(context_, "nightly", "", {"uid 0", "k"});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_THAT(*first, SizeIs(1));
  EXPECT_EQ(first->at(0).request.requester(), "uid 0");
  const auto second = admin_.RunNow(context_, "nightly", "disk", {"uid 0", ""});
  EXPECT_EQ(ErrorCodeOf(second.status()), kBackupAlreadyRunning);
  EXPECT_EQ(JobInTheWay(second.status()), first->at(0).job.id());
  const auto again = admin_.RunNow(context_, "nightly", "", {"uid 0", "k"});
  ASSERT_TRUE(again.ok()) << "the same key is the same wish";
  EXPECT_EQ(again->at(0).job.id(), first->at(0).job.id());
}

TEST_F(AdminTest, AKeyThatAsksForSomethingElseIsRefused) {
  Add();
  Asker first{"uid 0", "k"};
  first.request_sha256 = "aa";
  Asker other = first;
  other.request_sha256 = "bb";
  ASSERT_TRUE(admin_.RunNow(context_, "nightly", "disk", first).ok());
  EXPECT_TRUE(admin_.RunNow(context_, "nightly", "disk", first).ok());
  EXPECT_EQ(
      ErrorCodeOf(admin_.RunNow(context_, "nightly", "disk", other).status()),
      kIdempotencyKeyReused);
}

TEST_F(AdminTest, AnEditOfAnotherRevisionIsRefused) {
  Add();
  PlanWords words;
  words.fields = {{"keep_last", "3"}};
  PlanChecks checks;
  checks.expected_revision = 1;
  ASSERT_TRUE(admin_.Edit(context_, "nightly", words, checks).ok());
  EXPECT_EQ(
      ErrorCodeOf(admin_.Edit(context_, "nightly", words, checks).status()),
      kPlanChanged);
}

TEST_F(AdminTest, WorkBesidePlansIsAskedForAsWell) {
  BackupWish wish;
  wish.source = house_.store_uri();
  wish.repo = "disk";
  wish.label = "before the upgrade";
  const auto backup = AskForBackup(context_, catalog_, house_.host(),
                                   *Clock::Real(), wish, {"uid 7", ""});
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ(catalog_.queue().GetRequest(context_, backup->job.id())->label(),
            "before the upgrade");
  EXPECT_EQ(ErrorCodeOf(AskForBackup(context_, catalog_, house_.host(),
                                     *Clock::Real(), wish, {"uid 7", ""})
                            .status()),
            kBackupAlreadyRunning);
  RestoreWish restore;
  restore.backup_id = "01NOBODY";
  restore.target = "memory:?save=/tmp/out";
  EXPECT_EQ(ErrorCodeOf(AskForRestore(context_, catalog_, house_.host(),
                                      *Clock::Real(), restore, {"uid 7", ""})
                            .status()),
            kRecordNotFound);
  EXPECT_FALSE(
      AskForVerify(context_, catalog_, *Clock::Real(), {}, {"uid 7", ""}).ok());
}

TEST_F(AdminTest, ATokenIsShownOnceAndKnownByItsHash) {
  TokenWish wish;
  wish.role = Role::kOperator;
  wish.expires_in = absl::Hours(1);
  const auto made =
      CreateToken(context_, catalog_.access(), *Clock::Real(), wish);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->token, SizeIs(50));
  EXPECT_THAT(made->row.sha256, Not(HasSubstr(made->token)));
  const auto found =
      FindValidToken(context_, catalog_.access(), *Clock::Real(), made->token);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ(*ParseRole((*found)->role), Role::kOperator);
  for (const std::string& wrong :
       {std::string(), made->token + "x", made->row.sha256,
        made->token.substr(0, 49)}) {
    EXPECT_FALSE(
        FindValidToken(context_, catalog_.access(), *Clock::Real(), wrong)
            ->has_value());
  }
  ASSERT_TRUE(
      catalog_.access().RevokeToken(context_, made->row.id, absl::Now()).ok());
  EXPECT_FALSE(
      FindValidToken(context_, catalog_.access(), *Clock::Real(), made->token)
          ->has_value());
}

TEST_F(AdminTest, NoTwoTokensAreTheSame) {
  const auto a = CreateToken(context_, catalog_.access(), *Clock::Real(), {});
  const auto b = CreateToken(context_, catalog_.access(), *Clock::Real(), {});
  EXPECT_NE(a->token, b->token);
  EXPECT_FALSE(ParseRole("root").ok());
  TokenWish over;
  over.expires_in = absl::ZeroDuration();
  EXPECT_FALSE(
      CreateToken(context_, catalog_.access(), *Clock::Real(), over).ok());
}

}  // namespace
}  // namespace sluice::service
