#include "sluice/service/engine/settings_keeper.h"

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/settings/machine.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

class SettingsKeeperTest : public ::testing::Test {
 protected:
  SettingsKeeper Keeper(const std::string& machine = "") {
    SettingsKeeperOptions options;
    options.owner = "test/1";
    options.machine_id = machine;
    options.on_problem = [this](absl::string_view what,
                                const absl::Status& status) {
      problems_.push_back(absl::StrCat(what, ": ", ErrorCodeOf(status)));
    };
    return SettingsKeeper(&catalog_, &house_.host(), options);
  }

  void AddPlan() { house_.AddAsDue(house_.HourlyPlan(house_.store_uri())); }

  std::vector<RepoSettings> Stands() {
    auto found = ReadRepoSettings(context_, *house_.OpenRepoAgain().store);
    EXPECT_TRUE(found.ok() && found->problems.empty()) << found.status();
    return std::move(found->newest);
  }

  // Every object of that kind in the repo, by name.
  std::vector<ObjectInfo> Objects() {
    std::vector<ObjectInfo> objects;
    EXPECT_TRUE(house_.OpenRepoAgain()
                    .store
                    ->List(context_, "settings/",
                           [&](const ObjectInfo& info) {
                             objects.push_back(info);
                             return absl::OkStatus();
                           })
                    .ok());
    return objects;
  }

  TestHouse house_;
  const Context& context_ = house_.context();
  Catalog& catalog_ = house_.catalog();
  std::vector<std::string> problems_;
};

TEST_F(SettingsKeeperTest, ARepoWithoutPlanOrPinIsLeftAsItIs) {
  SettingsKeeper keeper = Keeper();
  EXPECT_TRUE(keeper.Keep(context_));
  EXPECT_TRUE(Objects().empty());
}

TEST_F(SettingsKeeperTest, EachChangeIsToldAndWhatIsTheSameIsNotWrittenAgain) {
  SettingsKeeper keeper = Keeper();
  AddPlan();
  ASSERT_TRUE(keeper.Keep(context_));
  ASSERT_EQ(Stands().size(), 1u);
  EXPECT_EQ(Stands()[0].settings.plans.size(), 1u);
  EXPECT_EQ(Stands()[0].catalog_id, catalog_.catalog_id());
  const absl::Time written = Objects()[0].modified;
  ASSERT_TRUE(Keeper().Keep(context_));
  // Another repo's change is none of this one's.
  BackupRepo other;
  other.set_id("01JD4Q8Z0V0000000000000000");
  other.set_name("other");
  other.set_kind("local");
  other.set_config("local:" + house_.folder() + "/nowhere");
  ASSERT_TRUE(catalog_.AddRepo(context_, other).ok());
  ASSERT_TRUE(keeper.Keep(context_));
  EXPECT_EQ(Objects()[0].modified, written);
  ASSERT_TRUE(catalog_.plans().RemovePlan(context_, "plan").ok());
  ASSERT_TRUE(keeper.Keep(context_));
  EXPECT_TRUE(Stands()[0].settings.plans.empty());
  EXPECT_TRUE(problems_.empty());
}

TEST_F(SettingsKeeperTest, ARepoThatIsAwayIsToldOnceItIsBack) {
  SettingsKeeper keeper = Keeper();
  AddPlan();
  const std::string away = house_.repo_folder() + ".away";
  ASSERT_EQ(rename(house_.repo_folder().c_str(), away.c_str()), 0);
  EXPECT_FALSE(keeper.Keep(context_));
  ASSERT_EQ(problems_.size(), 1u);
  EXPECT_EQ(problems_[0], "keep settings in repo disk: destination_not_found");
  ASSERT_EQ(rename(away.c_str(), house_.repo_folder().c_str()), 0);
  EXPECT_TRUE(SettingsKeeper::IsBehind(context_, catalog_));
  EXPECT_TRUE(keeper.Keep(context_));
  EXPECT_FALSE(SettingsKeeper::IsBehind(context_, catalog_));
  EXPECT_EQ(Stands().size(), 1u);
}

TEST_F(SettingsKeeperTest, WhatSomebodyTookAwayIsWrittenAnewByACheck) {
  SettingsKeeper keeper = Keeper();
  AddPlan();
  ASSERT_TRUE(keeper.Keep(context_));
  const OpenedRepo repo = house_.OpenRepoAgain();
  ASSERT_TRUE(repo.store->Delete(context_, Objects()[0].name).ok());
  ASSERT_TRUE(keeper.Keep(context_));
  EXPECT_TRUE(Objects().empty());
  keeper.CheckAgain();
  ASSERT_TRUE(keeper.Keep(context_));
  EXPECT_EQ(Objects().size(), 1u);
}

// A catalog that was brought back from a copy of last week must not take what
// this week's wrote for its own and write over it.
TEST_F(SettingsKeeperTest, AnOlderCopyOfTheCatalogWritesBesideTheNewer) {
  SettingsKeeper keeper = Keeper();
  AddPlan();
  ASSERT_TRUE(keeper.Keep(context_));
  RepoSettings newer = Stands()[0];
  newer.revision = 1000;
  newer.settings.plans[0].set_name("newer");
  newer.written_at_ms += 1;
  ASSERT_TRUE(
      WriteRepoSettings(context_, *house_.OpenRepoAgain().store, newer).ok());
  keeper.CheckAgain();
  ASSERT_TRUE(keeper.Keep(context_));
  EXPECT_EQ(Objects().size(), 2u);
  EXPECT_NE(*InstallationId(context_, catalog_, *Clock::Real()),
            newer.installation_id);
  keeper.CheckAgain();
  ASSERT_TRUE(keeper.Keep(context_));
  EXPECT_EQ(Objects().size(), 2u);
}

TEST_F(SettingsKeeperTest, ACopyOfAnotherMachinesCatalogSaysNothing) {
  AddPlan();
  ASSERT_TRUE(ClaimMachine(context_, catalog_, "first").ok());
  SettingsKeeper clone = Keeper("second");
  EXPECT_FALSE(clone.Keep(context_));
  EXPECT_TRUE(Objects().empty());
  EXPECT_TRUE(problems_.empty());
  EXPECT_TRUE(Keeper("first").Keep(context_));
  EXPECT_EQ(Objects().size(), 1u);
}

}  // namespace
}  // namespace sluice::service
