#include "sluice/cli/archive_choice.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kOld[] = "01JD4Q8Z0V0000000000000001";
constexpr char kMiddle[] = "01JD4Q8Z0V0000000000000002";
constexpr char kNew[] = "01JE4Q8Z0V0000000000000003";

ArchiveRow Archive(const std::string& id, const std::string& store,
                   bool damaged) {
  Manifest manifest;
  manifest.set_store_id(store);
  ArchiveRow row{id, manifest, {}};
  row.record.emplace().set_damaged(damaged);
  return row;
}

std::vector<ArchiveRow> ThreeArchives(const std::set<std::string>& damaged) {
  return {Archive(kOld, "a", damaged.count(kOld) > 0),
          Archive(kMiddle, "b", damaged.count(kMiddle) > 0),
          Archive(kNew, "a", damaged.count(kNew) > 0)};
}

std::string Choose(const ArchiveWish& wish,
                   const std::set<std::string>& damaged = {}) {
  const auto chosen = ChooseArchive(ThreeArchives(damaged), wish);
  return chosen.ok() ? chosen->id : ErrorCodeOf(chosen.status());
}

TEST(ArchiveChoiceTest, LatestIsThatOfOneStore) {
  EXPECT_EQ(Choose({"latest", "a"}), kNew);
  EXPECT_EQ(Choose({"latest", "b"}), kMiddle);
  EXPECT_EQ(Choose({"latest", "c"}), kArchiveNotFound);
}

TEST(ArchiveChoiceTest, LatestOfSeveralStoresListsThem) {
  const auto chosen = ChooseArchive(ThreeArchives({}), {"latest", ""});
  EXPECT_EQ(ErrorCodeOf(chosen.status()), kInvalidArgument);
  EXPECT_EQ(HintOf(chosen.status()), "--store a or b");
}

TEST(ArchiveChoiceTest, LatestPassesOverDamage) {
  EXPECT_EQ(Choose({"latest", "a"}, {kNew}), kOld);
  EXPECT_EQ(Choose({"latest", "a"}, {kNew, kOld}), kArchiveDamaged);
}

TEST(ArchiveChoiceTest, AUniqueBeginningIsEnoughInEitherCase) {
  EXPECT_EQ(Choose({"01je", ""}), kNew);
  EXPECT_EQ(Choose({kOld, ""}), kOld);
  EXPECT_EQ(Choose({"01JD", ""}), kInvalidArgument);
  EXPECT_EQ(Choose({"7", ""}), kArchiveNotFound);
}

TEST(ArchiveChoiceTest, DamageDoesNotHideAnArchiveThatIsNamed) {
  EXPECT_EQ(Choose({kNew, ""}, {kNew}), kNew);
}

TEST(ArchiveChoiceTest, AnUnreadableManifestIsNoOnesLatestAndCanBeNamed) {
  std::vector<ArchiveRow> rows = ThreeArchives({});
  rows.back() = {
      kNew, MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged, "cut"), {}};
  EXPECT_EQ(ChooseArchive(rows, {"latest", "a"}).value().id, kOld);
  EXPECT_EQ(ChooseArchive(rows, {kNew, ""}).value().id, kNew);
}

TEST(ArchiveChoiceTest, RefusesWhatIsNoId) {
  for (const char* id :
       {"", "../victim", "a/b", ".", "01JD4Q8Z0V00000000000000011", "01 JD"}) {
    EXPECT_EQ(Choose({id, ""}), kInvalidArgument) << id;
  }
}

TEST(ArchiveChoiceTest, AnIdOfAnotherStoreIsNotFound) {
  EXPECT_EQ(Choose({kOld, "b"}), kArchiveNotFound);
}

}  // namespace
}  // namespace sluice::cli
