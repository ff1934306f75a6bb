// What is in a repo, as the API tells it.

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/service/http/api/testing/api_house.h"

namespace sluice::service {
namespace {

using Archives = nlohmann::json;

Archives ArchivesOf(ApiHouse& house, const std::string& token,
                    absl::string_view query = "") {
  const http::Response answer = house.Ask(
      token, "GET", absl::StrCat("/api/v1/repos/disk/archives", query));
  EXPECT_EQ(answer.status, 200) << answer.body;
  return JsonOf(answer);
}

TEST(ArchivesTest, AreThoseOfTheRepoWithWhatTheCatalogKnows) {
  ApiHouse house;
  const std::string id = house.BackUp(house.AddPlan());
  const auto archives =
      ArchivesOf(house, house.Token(Role::kViewer))["archives"];
  ASSERT_EQ(archives.size(), 1u);
  EXPECT_EQ(archives[0]["id"], id);
  EXPECT_EQ(archives[0]["damaged"], false);
  EXPECT_EQ(archives[0]["manifest"]["backup_id"], id);
  EXPECT_EQ(archives[0]["record"]["id"], id);
  EXPECT_TRUE(archives[0]["error"].is_null());
}

TEST(ArchivesTest, ArePagedTheOldestFirst) {
  ApiHouse house;
  const Plan plan = house.AddPlan();
  const std::string first = house.BackUp(plan);
  const std::string second = house.BackUp(plan);
  const std::string viewer = house.Token(Role::kViewer);
  const auto page = ArchivesOf(house, viewer, "?limit=1");
  ASSERT_EQ(page["archives"].size(), 1u);
  EXPECT_EQ(page["archives"][0]["id"], std::min(first, second));
  const auto last = ArchivesOf(
      house, viewer,
      absl::StrCat("?limit=1&cursor=", page["next_cursor"].get<std::string>()));
  ASSERT_EQ(last["archives"].size(), 1u);
  EXPECT_EQ(last["archives"][0]["id"], std::max(first, second));
  EXPECT_TRUE(last["next_cursor"].is_null());
}

TEST(ArchivesTest, APlansTokenSeesWhatThatPlanMade) {
  ApiHouse house;
  const std::string own = house.BackUp(house.AddPlan());
  Plan other = house.house.HourlyPlan(house.house.store_uri());
  other.set_id("01ARZ3NDEKTSV4RRFFQ69G5FAW");
  house.BackUp(other);
  const auto archives =
      ArchivesOf(house, house.Token(Role::kViewer, kPlanId))["archives"];
  ASSERT_EQ(archives.size(), 1u);
  EXPECT_EQ(archives[0]["id"], own);
}

TEST(ArchivesTest, OneThatIsDamagedIsThereWithWhy) {
  ApiHouse house;
  const std::string id = house.BackUp(house.AddPlan());
  const std::string manifest =
      absl::StrCat(house.house.repo_folder(), "/", id, "/manifest.json");
  ASSERT_EQ(chmod(manifest.c_str(), 0600), 0);
  std::ofstream(manifest) << "{]";
  const auto archives =
      ArchivesOf(house, house.Token(Role::kViewer))["archives"];
  ASSERT_EQ(archives.size(), 1u);
  EXPECT_EQ(archives[0]["damaged"], true);
  EXPECT_TRUE(archives[0]["manifest"].is_null());
  EXPECT_EQ(archives[0]["error"]["code"], "archive_damaged");
}

TEST(ArchivesTest, APlanSaysHowItLastWent) {
  ApiHouse house;
  const Plan plan = house.AddPlan();
  const std::string viewer = house.Token(Role::kViewer);
  EXPECT_TRUE(JsonOf(house.Ask(viewer, "GET", "/api/v1/plans/hourly"))
                  .at("last_job")
                  .is_null());
  house.BackUp(plan);
  EXPECT_EQ(
      JsonOf(house.Ask(viewer, "GET",
                       "/api/v1/plans"))["plans"][0]["last_job"]["status"],
      "succeeded");
}

}  // namespace
}  // namespace sluice::service
