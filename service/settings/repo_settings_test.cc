#include "sluice/service/settings/repo_settings.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/service/settings/adoption.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kFirst[] = "01JD4Q8Z0V5555555555555555";
constexpr char kSecond[] = "01JD4Q8Z0V6666666666666666";

class RepoSettingsTest : public ::testing::Test {
 protected:
  RepoSettings Of(char catalog, const std::string& installation,
                  uint64_t revision) {
    RepoSettings settings;
    settings.catalog_id = std::string(32, catalog);
    settings.installation_id = installation;
    settings.revision = revision;
    settings.written_at_ms = 1'800'000'000'000 + static_cast<int64_t>(revision);
    Plan plan = house_.HourlyPlan(house_.store_uri());
    plan.set_id("01JD4Q8Z0V2222222222222222");
    plan.set_name("nightly");
    plan.set_revision(revision);
    plan.mutable_spec()->clear_repos();
    plan.mutable_spec()->add_repos(house_.repo_id());
    settings.settings.plans.push_back(plan);
    return settings;
  }

  SettingsWritten Write(const RepoSettings& settings) {
    const auto written = WriteRepoSettings(context_, *repo_.store, settings);
    EXPECT_TRUE(written.ok()) << written.status();
    return *written;
  }

  void Put(const std::string& name, const std::string& bytes) {
    EXPECT_EQ(
        StoreObject(context_, *repo_.store, name, bytes, CommitMode::kReplace)
            .kind,
        CommitOutcome::kStored);
  }

  FoundSettings Read() {
    auto found = ReadRepoSettings(context_, *repo_.store);
    EXPECT_TRUE(found.ok()) << found.status();
    return *std::move(found);
  }

  // As words: "plan nightly added", "plan nightly failed invalid_argument".
  std::vector<std::string> Import() {
    std::vector<std::string> words;
    for (const ImportedObject& object :
         ImportFromRepo(context_, catalog_, repo_.row, Read(), absl::Now())) {
      words.push_back(absl::StrCat(object.kind, " ", object.name, " ",
                                   ImportWord(object.action), " ",
                                   ErrorCodeOf(object.status)));
    }
    return words;
  }

  TestHouse house_;
  const Context& context_ = house_.context();
  Catalog& catalog_ = house_.catalog();
  OpenedRepo repo_ = house_.OpenRepoAgain();
};

TEST_F(RepoSettingsTest, WhatIsWrittenIsReadAndASecondTimeNothingIs) {
  const RepoSettings settings = Of('a', kFirst, 3);
  EXPECT_EQ(Write(settings), SettingsWritten::kWritten);
  EXPECT_EQ(Write(settings), SettingsWritten::kSame);
  const FoundSettings found = Read();
  ASSERT_THAT(found.newest, SizeIs(1));
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_EQ(RepoSettingsJson(found.newest[0]), RepoSettingsJson(settings));
}

TEST_F(RepoSettingsTest, AnOlderCopyOfTheCatalogReplacesNothing) {
  ASSERT_EQ(Write(Of('a', kFirst, 7)), SettingsWritten::kWritten);
  EXPECT_EQ(Write(Of('a', kFirst, 3)), SettingsWritten::kNewer);
  EXPECT_EQ(Read().newest[0].revision, 7u);
  EXPECT_EQ(Write(Of('a', kFirst, 8)), SettingsWritten::kWritten);
}

TEST_F(RepoSettingsTest, TwoCatalogsOfOneRepoKeepBothAndOfOneTheNewestCounts) {
  Write(Of('a', kFirst, 1));
  Write(Of('b', kFirst, 2));
  Write(Of('a', kSecond, 5));
  const FoundSettings found = Read();
  ASSERT_THAT(found.newest, SizeIs(2));
  EXPECT_EQ(found.newest[0].installation_id, kSecond);
  EXPECT_EQ(found.newest[1].catalog_id, std::string(32, 'b'));
}

TEST_F(RepoSettingsTest, ADamagedOneIsNamedPassedOverAndWrittenAnew) {
  const RepoSettings settings = Of('a', kFirst, 1);
  Write(settings);
  Write(Of('b', kFirst, 1));
  const std::string name = RepoSettingsName(settings);
  const std::string text = RepoSettingsJson(settings).dump();
  for (const std::string& bytes :
       {std::string(), text.substr(0, text.size() / 2),
        absl::StrReplaceAll(text, {{"\"plans\"", "\"hooks\""}}),
        absl::StrReplaceAll(text, {{std::string(32, 'a'), "../../etc"}}),
        // Another catalog's, under this one's name.
        RepoSettingsJson(Of('c', kFirst, 9)).dump()}) {
    Put(name, bytes);
    const FoundSettings found = Read();
    EXPECT_THAT(found.newest, SizeIs(1)) << bytes;
    ASSERT_THAT(found.problems, SizeIs(1)) << bytes;
    EXPECT_THAT(std::string(found.problems[0].message()), HasSubstr(name));
  }
  EXPECT_EQ(Write(settings), SettingsWritten::kWritten);
  EXPECT_THAT(Read().problems, IsEmpty());
}

TEST_F(RepoSettingsTest, WhatElseLiesInAFolderOfThatNameIsNotOurs) {
  Put("settings/display.json", "{}");
  Put("settings/deep/er.json", "{}");
  EXPECT_THAT(Read().newest, IsEmpty());
  EXPECT_THAT(Read().problems, IsEmpty());
}

TEST_F(RepoSettingsTest, APartHasThePlansAndPinsOfItsRepoAlone) {
  Settings all;
  BackupRepo a;
  a.set_id("A");
  BackupRepo b;
  b.set_id("B");
  BackupRepo c;
  c.set_id("C");
  all.repos = {a, b, c};
  Plan both;
  both.set_name("both");
  both.mutable_spec()->add_repos("A");
  both.mutable_spec()->add_repos("B");
  Plan other;
  other.set_name("other");
  other.mutable_spec()->add_repos("C");
  all.plans = {both, other};
  all.pins = {{"1", {}, "A"}, {"2", {}, "B"}};
  const Settings part = PartOf(all, "A");
  ASSERT_THAT(part.repos, SizeIs(2));
  EXPECT_EQ(part.repos[1].id(), "B");
  ASSERT_THAT(part.plans, SizeIs(1));
  EXPECT_EQ(part.plans[0].name(), "both");
  ASSERT_THAT(part.pins, SizeIs(1));
  EXPECT_EQ(part.pins[0].id, "1");
}

TEST_F(RepoSettingsTest, APlanComesBackPausedAndItsRulesOnlyPrint) {
  Write(Of('a', kFirst, 4));
  EXPECT_THAT(Import(), ElementsAre("plan nightly added "));
  const auto plan = catalog_.plans().GetPlan(context_, "nightly");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->paused());
  const auto targets = catalog_.plans().ListTargets(context_, plan->id());
  EXPECT_EQ(targets->at(0).next_due, absl::InfiniteFuture());
  EXPECT_TRUE(*AwaitsAcceptance(context_, catalog_, plan->id()));
  ASSERT_TRUE(AcceptAdopted(context_, catalog_, plan->id()).ok());
  // What is there stays as it is, and asks for nothing again.
  EXPECT_THAT(Import(), ElementsAre("plan nightly kept "));
  EXPECT_FALSE(*AwaitsAcceptance(context_, catalog_, plan->id()));
}

TEST_F(RepoSettingsTest, OfTwoCatalogsThatSayAPlanTheOneWrittenLastCounts) {
  Write(Of('a', kFirst, 1));
  Write(Of('b', kFirst, 2));
  EXPECT_THAT(Import(),
              ElementsAre("plan nightly added ", "plan nightly kept "));
  EXPECT_EQ(catalog_.plans().GetPlan(context_, "nightly")->revision(), 2u);
}

TEST_F(RepoSettingsTest, WhatWouldRunACommandDoesNotComeBack) {
  for (const char* source : {"postgresql://h/db?password=cmd:touch%20/tmp/x",
                             "postgresql://h/db?password=c%6Dd:touch%20/tmp/x",
                             "memory:?load=exec:/bin/sh", "no uri"}) {
    RepoSettings settings = Of('a', kFirst, 1);
    settings.settings.plans[0].mutable_spec()->set_source(source);
    Put(RepoSettingsName(settings), RepoSettingsJson(settings).dump());
    EXPECT_THAT(Import(), ElementsAre("plan nightly failed invalid_argument"))
        << source;
  }
  RepoSettings settings = Of('a', kFirst, 1);
  BackupRepo other;
  other.set_id("01JD4Q8Z0V7777777777777777");
  other.set_name("bucket");
  other.set_kind("s3");
  other.set_config("s3://b/x?secret_key=cmd:id");
  settings.settings.repos.push_back(other);
  settings.settings.plans.clear();
  Put(RepoSettingsName(settings), RepoSettingsJson(settings).dump());
  EXPECT_THAT(Import(), ElementsAre("repo bucket failed invalid_argument"));
  EXPECT_THAT(*catalog_.plans().ListPlans(context_), IsEmpty());
}

}  // namespace
}  // namespace sluice::service
