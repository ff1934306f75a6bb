#include "sluice/service/store_uri.h"

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

UriFacts FactsOfFolder(const std::string& path) {
  UriFacts facts;
  facts.identity = "kind:" + path;
  facts.paths = {{"path", path}};
  return facts;
}

TEST(StoreUriTest, AStoreWithoutAnIdIsKnownByItsUri) {
  const auto id = StoreIdOf({}, "memory", FactsOfFolder("/data/a"), "");
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, StoreIdFromUri("memory", "kind:/data/a"));
  EXPECT_NE(*id, StoreIdFromUri("memory", "kind:/data/b"));
  EXPECT_EQ(*StoreIdOf({}, "memory", FactsOfFolder("/data/a"), "orders"),
            "orders");
}

TEST(StoreUriTest, AStoresOwnIdIsNotOverruled) {
  StoreInfo info;
  info.store_id = "own";
  EXPECT_EQ(*StoreIdOf(info, "badger", FactsOfFolder("/data/a"), ""), "own");
  EXPECT_EQ(*StoreIdOf(info, "badger", FactsOfFolder("/data/a"), "own"), "own");
  EXPECT_EQ(
      ErrorCodeOf(StoreIdOf(info, "badger", FactsOfFolder("/data/a"), "another")
                      .status()),
      kInvalidArgument);
}

TEST(StoreUriTest, ARepoLiesApartFromItsStoreAlsoBehindALink) {
  const UriFacts store = FactsOfFolder("/data/a");
  EXPECT_TRUE(CheckApart(store, {{"path", "/backups"}}).ok());
  EXPECT_TRUE(CheckApart(store, {{"path", "/data/ab"}}).ok());
  for (const char* repo : {"/data/a", "/data/a/repo", "/data", "/"}) {
    EXPECT_EQ(ErrorCodeOf(CheckApart(store, {{"path", repo}})),
              kInvalidArgument)
        << repo;
  }
  std::string folder = ::testing::TempDir() + "/apart-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::filesystem::create_directory(folder + "/store");
  std::filesystem::create_symlink(folder + "/store", folder + "/link");
  EXPECT_EQ(ErrorCodeOf(CheckApart(FactsOfFolder(folder + "/store"),
                                   {{"path", folder + "/link/repo"}})),
            kInvalidArgument);
}

}  // namespace
}  // namespace sluice::service
