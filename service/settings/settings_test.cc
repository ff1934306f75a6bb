#include "sluice/service/settings/settings.h"

#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Catalog> NewCatalog() {
    std::string folder = absl::StrCat(::testing::TempDir(), "/settings-XXXXXX");
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    SqliteCatalogOptions options;
    options.path = folder + "/catalog.db";
    options.heartbeat = false;
    auto opened = OpenSqliteCatalog(context_, options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  Settings All() const {
    Settings settings;
    BackupRepo repo;
    repo.set_id("01JD4Q8Z0V0000000000000000");
    repo.set_name("disk");
    repo.set_kind("local");
    repo.set_config("local:/mnt/disk");
    repo.set_created_at_ms(1732270953125);
    repo.add_key_refs("file:/etc/key");
    settings.repos.push_back(repo);
    Plan plan;
    plan.set_id("01JD4Q8Z0V2222222222222222");
    plan.set_name("nightly");
    plan.set_paused(true);
    plan.set_revision(3);
    plan.set_created_at_ms(1732270953125);
    plan.mutable_spec()->set_source("memory:?load=/srv");
    plan.mutable_spec()->add_repos(repo.id());
    plan.mutable_spec()->set_schedule("CRON_TZ=UTC @every 90m");
    plan.mutable_spec()->set_catch_up_ms(0);
    plan.mutable_spec()->set_read_back(true);
    plan.mutable_spec()->set_shrink_accepted_at_ms(1732270954000);
    plan.mutable_spec()->mutable_retention()->set_keep_daily(7);
    (*plan.mutable_spec()->mutable_labels())["team"] = "storage";
    settings.plans.push_back(plan);
    settings.pins.push_back({"01JD4Q8Z0V3333333333333333",
                             {"audit", absl::FromUnixSeconds(1900000000)}});
    return settings;
  }

  std::vector<std::string> ImportInto(Catalog& catalog) {
    std::vector<std::string> words;
    for (const ImportedObject& object :
         Import(context_, catalog, All(), absl::FromUnixSeconds(1800000000))) {
      words.push_back(absl::StrCat(object.kind, " ", ImportWord(object.action),
                                   " ", ErrorCodeOf(object.status)));
    }
    return words;
  }

  absl::Status Record(Catalog& catalog) {
    BackupRecord record;
    record.set_id("01JD4Q8Z0V3333333333333333");
    record.set_repo_id("01JD4Q8Z0V0000000000000000");
    record.set_job_id("01JD4Q8Z0V4444444444444444");
    record.set_store_id("orders");
    record.set_store_kind("memory");
    record.set_sha256(std::string(64, 'a'));
    return catalog.CreateBackupRecord(context_, record);
  }

  const Context context_ = Context::Background();
};

TEST_F(SettingsTest, AreReadAsTheyWereWritten) {
  const Json json = SettingsJson(All());
  const auto read = ParseSettings(json.dump(2));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(SettingsJson(*read), json);
  EXPECT_EQ(read->plans[0].spec().SerializeAsString(),
            All().plans[0].spec().SerializeAsString());
}

TEST_F(SettingsTest, ComeBackIntoAnEmptyCatalog) {
  const auto catalog = NewCatalog();
  EXPECT_THAT(ImportInto(*catalog), ElementsAre("repo added ", "plan added ",
                                                "pin failed record_not_found"));
  ASSERT_TRUE(Record(*catalog).ok());
  EXPECT_THAT(ImportInto(*catalog),
              ElementsAre("repo kept ", "plan kept ", "pin added "));
  EXPECT_THAT(ImportInto(*catalog),
              ElementsAre("repo kept ", "plan kept ", "pin kept "));
  const auto again = ReadSettings(context_, *catalog);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(SettingsJson(*again)["plans"], SettingsJson(All())["plans"]);
  EXPECT_EQ(SettingsJson(*again)["pins"], SettingsJson(All())["pins"]);
}

TEST_F(SettingsTest, WhatHasTheNameOfAnotherIsNamedAndTheRestComes) {
  const auto catalog = NewCatalog();
  BackupRepo other = All().repos[0];
  other.set_id("01JD4Q8Z0V9999999999999999");
  ASSERT_TRUE(catalog->AddRepo(context_, other).ok());
  EXPECT_THAT(ImportInto(*catalog), ElementsAre("repo failed name_taken",
                                                "plan failed repo_not_found",
                                                "pin failed record_not_found"));
}

TEST_F(SettingsTest, WhatItDoesNotKnowIsRefusedByItsName) {
  const std::string text = SettingsJson(All()).dump();
  const struct {
    const char* from;
    const char* to;
    const char* told;
  } cases[] = {
      {"\"keep_daily\":7", "\"keep_daily\":7,\"hooks\":[]",
       "plans[0].hooks is unknown"},
      {"\"pins\":", "\"tokens\":[],\"pins\":", "tokens is unknown"},
      {"\"keep_daily\":7", "\"keep_daily\":\"7\"",
       "plans[0].keep_daily is no count"},
      {"\"name\":\"nightly\",", "", "plans[0].name is missing"},
      {"\"version\":1", "\"version\":2", "version is 2, not 1"},
      {"\"read_back\":true", "\"read_back\":1",
       "plans[0].read_back is neither"},
      {"\"required\":false", "\"required\":false,\"secret\":\"x\"",
       "repos[0].encryption.secret is unknown"},
      {"{\"format\"", "[{\"format\"", "is no JSON"},
  };
  for (const auto& c : cases) {
    const std::string changed = absl::StrReplaceAll(text, {{c.from, c.to}});
    ASSERT_NE(changed, text) << c.from;
    const auto read = ParseSettings(changed);
    EXPECT_EQ(ErrorCodeOf(read.status()), kInvalidArgument) << c.told;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(c.told));
  }
  EXPECT_FALSE(ParseSettings("").ok());
  EXPECT_FALSE(ParseSettings("[]").ok());
  EXPECT_FALSE(ParseSettings(std::string(100000, '[')).ok());
}

}  // namespace
}  // namespace sluice::service
