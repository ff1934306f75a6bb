#include "sluice/service/admin/repo_admin.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RepoAdminTest : public ::testing::Test {
 protected:
  BackupRepo Row() {
    return *house_.catalog().GetRepo(house_.context(), house_.repo_id());
  }
  absl::StatusOr<EditedRepo> Edit(const RepoWords& words) {
    return EditRepo(house_.context(), house_.catalog(), house_.host(),
                    *Clock::Real(), Row(), words);
  }

  // As a URI has it once it was read.
  std::string Place() {
    return house_.host().ReadPlaceUri("local:" + house_.repo_folder())->uri;
  }

  TestHouse house_;
};

TEST_F(RepoAdminTest, AnEditChangesWhatIsNamedAndNothingElse) {
  RepoWords words;
  words.name = "tape";
  const auto renamed = Edit(words);
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_THAT(renamed->notes, SizeIs(0));
  EXPECT_EQ(Row().name(), "tape");
  EXPECT_EQ(Row().config(), "local:" + house_.repo_folder());
  words = {};
  words.options["allow_unsynced"] = "true";
  words.key_refs = {"file:/etc/sluice/key"};
  const auto edited = Edit(words);
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_THAT(edited->notes, SizeIs(2)) << "both are for new archives only";
  EXPECT_EQ(Row().name(), "tape");
  EXPECT_EQ(Row().config(), Place() + "?allow_unsynced=true");
  EXPECT_THAT(Row().key_refs(), ElementsAre("file:/etc/sluice/key"));
  words = {};
  words.options["allow_unsynced"] = "";
  ASSERT_TRUE(Edit(words).ok());
  EXPECT_EQ(Row().config(), Place());
}

TEST_F(RepoAdminTest, PlaceAndKindStayAndNothingSaidIsRefused) {
  EXPECT_EQ(ErrorCodeOf(Edit({}).status()), kInvalidArgument);
  RepoWords words;
  words.options["path"] = house_.folder() + "/elsewhere";
  const absl::Status moved = Edit(words).status();
  EXPECT_EQ(ErrorCodeOf(moved), kInvalidArgument);
  EXPECT_THAT(HintOf(moved), HasSubstr("repo move"));
  words.options = {{"no_such", "1"}};
  EXPECT_FALSE(Edit(words).ok());
  words = {};
  words.name = "A b";
  EXPECT_EQ(ErrorCodeOf(Edit(words).status()), kInvalidArgument);
  words = {};
  words.key_refs = {"hunter2"};
  const absl::Status secret = Edit(words).status();
  EXPECT_EQ(ErrorCodeOf(secret), kInvalidArgument);
  EXPECT_THAT(secret.message(), testing::Not(HasSubstr("hunter2")));
  EXPECT_EQ(Row().config(), "local:" + house_.repo_folder());
}

TEST_F(RepoAdminTest, OptionsOfAPlaceThatIsAwayAreNotStored) {
  std::filesystem::rename(house_.repo_folder(), house_.folder() + "/off");
  RepoWords words;
  words.options["allow_unsynced"] = "true";
  EXPECT_EQ(ErrorCodeOf(Edit(words).status()), kDestinationNotFound);
  EXPECT_EQ(Row().config(), "local:" + house_.repo_folder());
  words = {};
  words.name = "tape";
  EXPECT_TRUE(Edit(words).ok()) << "a name needs no place";
}

TEST_F(RepoAdminTest, APlanHoldsARepoAndAPurgeIsAskedForOnce) {
  const Plan plan = house_.HourlyPlan(house_.store_uri());
  ASSERT_TRUE(
      house_.catalog().plans().AddPlan(house_.context(), plan, {}).ok());
  EXPECT_EQ(ErrorCodeOf(ForgetRepo(house_.context(), house_.catalog(), Row(),
                                   /*records_hold=*/false)),
            kRepoInUse);
  const auto ask = [&](const std::string& key) {
    return AskForPurge(house_.context(), house_.catalog(), *Clock::Real(),
                       Row(), {"test", key});
  };
  EXPECT_EQ(ErrorCodeOf(ask("").status()), kRepoInUse);
  ASSERT_TRUE(
      house_.catalog().plans().RemovePlan(house_.context(), plan.id()).ok());
  const auto first = ask("key");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(ask("key")->job.id(), first->job.id());
  const absl::Status second = ask("").status();
  EXPECT_EQ(ErrorCodeOf(second), kRepoInUse);
  EXPECT_THAT(second.message(), HasSubstr(first->job.id()));
  EXPECT_EQ(ErrorCodeOf(ForgetRepo(house_.context(), house_.catalog(), Row(),
                                   /*records_hold=*/false)),
            kRepoInUse)
      << "the purge is under way";
}

}  // namespace
}  // namespace sluice::service
