#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/catalog/node_store.h"
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

}  // namespace
}  // namespace sluice
