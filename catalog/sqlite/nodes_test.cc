#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/catalog/node_store.h"
#include "sluice/catalog/setting_store.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

class NodesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/nodes-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    SqliteCatalogOptions options;
    options.path = folder + "/catalog.db";
    auto opened = OpenSqliteCatalog(context_, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
  }

  absl::Status Beat(const std::string& id, absl::Time at,
                    bool draining = false) {
    return catalog_->nodes().Heartbeat(context_,
                                       {id, "host/" + id, draining, at});
  }

  const Context context_ = Context::Background();
  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(NodesTest, ANodeIsSeenWhenItLastSaidSo) {
  ASSERT_TRUE(Beat("1", now_).ok());
  ASSERT_TRUE(Beat("1", now_ + absl::Seconds(10), /*draining=*/true).ok());
  const auto nodes = catalog_->nodes().ListNodes(context_);
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  ASSERT_EQ(nodes->size(), 1u);
  EXPECT_EQ(nodes->at(0).name, "host/1");
  EXPECT_TRUE(nodes->at(0).draining);
  EXPECT_EQ(nodes->at(0).seen_at, now_ + absl::Seconds(10));
}

TEST_F(NodesTest, OneThatStopsTakesItsRowAway) {
  ASSERT_TRUE(Beat("1", now_).ok());
  ASSERT_TRUE(catalog_->nodes().RemoveNode(context_, "1").ok());
  EXPECT_TRUE(catalog_->nodes().ListNodes(context_)->empty());
  EXPECT_TRUE(catalog_->nodes().RemoveNode(context_, "1").ok());
}

TEST_F(NodesTest, WhatDiedWithoutAWordIsForgottenAfterADay) {
  ASSERT_TRUE(Beat("1", now_).ok());
  ASSERT_TRUE(Beat("2", now_ + absl::Hours(23)).ok());
  EXPECT_EQ(catalog_->nodes().ListNodes(context_)->size(), 2u);
  ASSERT_TRUE(Beat("2", now_ + absl::Hours(25)).ok());
  EXPECT_EQ(catalog_->nodes().ListNodes(context_)->size(), 1u);
}

TEST_F(NodesTest, ANodeWithoutAnIdIsRefused) {
  EXPECT_FALSE(Beat("", now_).ok());
}

// --- settings

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/set-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    options_.heartbeat = false;
    catalog_ = Open();
  }

  std::unique_ptr<Catalog> Open() {
    auto opened = OpenSqliteCatalog(context_, options_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  uint64_t Revision() { return *catalog_->settings().Revision(context_); }

  const Context context_ = Context::Background();
  SqliteCatalogOptions options_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(SettingsTest, WhatIsSetStaysUntilItIsRemoved) {
  EXPECT_FALSE(catalog_->settings().Get(context_, "a")->has_value());
  ASSERT_TRUE(catalog_->settings().Set(context_, "a", "one").ok());
  ASSERT_TRUE(catalog_->settings().Set(context_, "a", "two").ok());
  catalog_ = Open();
  EXPECT_EQ(catalog_->settings().Get(context_, "a")->value(), "two");
  ASSERT_TRUE(catalog_->settings().Remove(context_, "a").ok());
  ASSERT_TRUE(catalog_->settings().Remove(context_, "a").ok());
  EXPECT_FALSE(catalog_->settings().Get(context_, "a")->has_value());
}

TEST_F(SettingsTest, OfTwoThatSetTheFirstOneCounts) {
  const auto other = Open();
  EXPECT_EQ(*catalog_->settings().GetOrSet(context_, "a", "mine"), "mine");
  EXPECT_EQ(*other->settings().GetOrSet(context_, "a", "theirs"), "mine");
}

TEST_F(SettingsTest, EachChangeOfPlanPinOrRepoRaisesTheRevision) {
  uint64_t last = Revision();
  const auto raised = [&](const char* by, const absl::Status& status) {
    EXPECT_TRUE(status.ok()) << by << ": " << status;
    EXPECT_GT(Revision(), last) << by;
    last = Revision();
  };
  BackupRepo repo;
  repo.set_id("01JD4Q8Z0V0000000000000000");
  repo.set_name("disk");
  repo.set_kind("local");
  repo.set_config("local:/mnt/disk");
  raised("add repo", catalog_->AddRepo(context_, repo));
  repo.set_name("other");
  raised("update repo", catalog_->UpdateRepo(context_, repo));
  Plan plan;
  plan.set_id("01JD4Q8Z0V2222222222222222");
  plan.set_name("nightly");
  plan.set_revision(1);
  plan.mutable_spec()->add_repos(repo.id());
  PlanTarget target;
  target.plan_id = plan.id();
  target.repo_id = repo.id();
  raised("add plan", catalog_->plans().AddPlan(context_, plan, {target}));
  plan.set_revision(2);
  raised("update plan", catalog_->plans().UpdatePlan(context_, plan, {target}));
  BackupRecord record;
  record.set_id("01JD4Q8Z0V3333333333333333");
  record.set_repo_id(repo.id());
  record.set_job_id("01JD4Q8Z0V4444444444444444");
  record.set_store_id("orders");
  record.set_store_kind("memory");
  record.set_sha256(std::string(64, 'a'));
  ASSERT_TRUE(catalog_->CreateBackupRecord(context_, record).ok());
  EXPECT_EQ(Revision(), last);
  raised("pin", catalog_->SetPin(context_, record.id(), Pin{"audit"}));
  raised("unpin", catalog_->SetPin(context_, record.id(), absl::nullopt));
  raised("remove plan", catalog_->plans().RemovePlan(context_, plan.id()));
  raised("remove repo", catalog_->RemoveRepo(context_, repo.id()));
}

}  // namespace
}  // namespace sluice
