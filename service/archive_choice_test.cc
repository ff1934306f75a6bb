#include "sluice/service/archive_choice.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/executor/ulid.h"

namespace sluice::service {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kOld[] = "01JD4Q8Z0V0000000000000001";
constexpr char kMiddle[] = "01JD4Q8Z0V0000000000000002";
constexpr char kNew[] = "01JE4Q8Z0V0000000000000003";

ArchiveRow Archive(const std::string& id, const std::string& store,
                   bool damaged) {
  Manifest manifest;
  manifest.set_store_id(store);
  manifest.set_store_kind("memory");
  manifest.set_host("db1");
  manifest.set_created_at(absl::StrCat("2026-01-0", id.substr(id.size() - 1)));
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
  EXPECT_EQ(HintOf(chosen.status()),
            "--store a (memory of db1, newest 2026-01-03), or b (memory of "
            "db1, newest 2026-01-02)");
}

TEST(ArchiveChoiceTest, LatestPassesOverDamage) {
  EXPECT_EQ(Choose({"latest", "a"}, {kNew}), kOld);
  EXPECT_EQ(Choose({"latest", "a"}, {kNew, kOld}), kArchiveDamaged);
}

TEST(ArchiveChoiceTest, WhatIsDamagedOrNewerIsReadAllTheSame) {
  ArchiveRow row = Archive(kOld, "a", false);
  EXPECT_TRUE(row.unreadable().ok());
  for (const absl::string_view word : {kArchiveDamaged, kArchiveUnsupported}) {
    row.manifest = MakeError(absl::StatusCode::kDataLoss, word, "it is");
    EXPECT_TRUE(row.unreadable().ok()) << word;
  }
  row.manifest = MakeError(absl::StatusCode::kPermissionDenied,
                           kDestinationPermissionDenied, "open it");
  EXPECT_EQ(ErrorCodeOf(row.unreadable()), kDestinationPermissionDenied);
  row.record->set_damaged(true);
  EXPECT_TRUE(row.unreadable().ok());
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

TEST(ArchiveChoiceTest, ArchivesOfANewerVersionAreNotCalledDamaged) {
  const std::vector<ArchiveRow> rows = {
      {kNew,
       MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported, "9"),
       {}}};
  EXPECT_EQ(ErrorCodeOf(ChooseArchive(rows, {"latest", ""}).status()),
            kArchiveUnsupported);
}

TEST(ArchiveChoiceTest, WhatCannotBeReadIsNoOnesLatestAndThatIsSaid) {
  std::vector<ArchiveRow> rows = ThreeArchives({});
  rows.back().manifest =
      MakeError(absl::StatusCode::kPermissionDenied,
                kDestinationPermissionDenied, "permission denied");
  rows.back().record->set_store_id("a");
  std::vector<std::string> notes;
  EXPECT_EQ(ChooseArchive(rows, {"latest", "a"}, &notes).value().id, kOld);
  EXPECT_THAT(notes, ElementsAre(AllOf(HasSubstr(kNew),
                                       HasSubstr("permission denied"))));
}

TEST(ArchiveChoiceTest, ThoseFromTheFutureAreLatestOnlyIfTheyWereRecordedLast) {
  const auto choose = [](std::vector<ArchiveRow> rows, absl::Duration ahead,
                         const std::string& id, size_t* said) {
    std::vector<std::string> notes;
    const auto chosen =
        ChooseArchive(rows, {id, "a", TimeOfUlid(kNew) - ahead}, &notes);
    *said = notes.size();
    return chosen.ok() ? chosen->id : ErrorCodeOf(chosen.status());
  };
  std::vector<ArchiveRow> rows = {Archive(kOld, "a", false),
                                  Archive(kNew, "a", false)};
  size_t said = 0;
  // Recorded before the one of the present: its clock was wrong.
  rows[0].recorded_as = 2;
  rows[1].recorded_as = 1;
  EXPECT_EQ(choose(rows, absl::Hours(1), "latest", &said), kOld);
  EXPECT_EQ(said, 2);
  EXPECT_EQ(choose(rows, absl::Hours(1), kNew, &said), kNew);
  EXPECT_EQ(said, 1);
  EXPECT_EQ(choose(rows, absl::Seconds(10), "latest", &said), kNew);
  EXPECT_EQ(said, 0);
  // Recorded after it: it is the newest, with a wrong time.
  rows[1].recorded_as = 3;
  EXPECT_EQ(choose(rows, absl::Hours(1), "latest", &said), kNew);
  EXPECT_EQ(said, 1);
  // No catalog: a time zone is believed, a year is not.
  rows[0].record.reset();
  EXPECT_EQ(choose(rows, absl::Hours(5), "latest", &said), kNew);
  EXPECT_EQ(choose(rows, absl::Hours(24 * 7), "latest", &said), kOld);
  rows.erase(rows.begin());
  EXPECT_EQ(choose(rows, absl::Hours(24 * 365), "latest", &said), kNew);
  EXPECT_EQ(said, 1);
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

// Three archives of store a, each on the one before.
std::vector<ArchiveRow> ThreeLinks(const std::set<std::string>& damaged = {}) {
  std::vector<ArchiveRow> archives = {
      Archive(kOld, "a", damaged.count(kOld) > 0),
      Archive(kMiddle, "a", damaged.count(kMiddle) > 0),
      Archive(kNew, "a", damaged.count(kNew) > 0)};
  archives[1].manifest->set_base_backup_id(kOld);
  archives[2].manifest->set_base_backup_id(kMiddle);
  return archives;
}

std::vector<std::string> IdsOf(
    const absl::StatusOr<std::vector<ArchiveRow>>& archives) {
  if (!archives.ok()) return {ErrorCodeOf(archives.status())};
  std::vector<std::string> ids;
  for (const ArchiveRow& archive : *archives) ids.push_back(archive.id);
  return ids;
}

TEST(ArchiveChoiceTest, AChainBeginsWithTheFullBackup) {
  const std::vector<ArchiveRow> links = ThreeLinks();
  EXPECT_THAT(IdsOf(ChainOf(links, links[2])),
              ElementsAre(kOld, kMiddle, kNew));
  EXPECT_THAT(IdsOf(ChainOf(links, links[0])), ElementsAre(kOld));
}

TEST(ArchiveChoiceTest, AChainWithoutItsBaseOrInACircleIsDamaged) {
  std::vector<ArchiveRow> links = ThreeLinks();
  links[0].manifest->set_base_backup_id(kNew);
  EXPECT_THAT(IdsOf(ChainOf(links, links[2])), ElementsAre(kArchiveDamaged));
  links.erase(links.begin());
  EXPECT_THAT(IdsOf(ChainOf(links, links[1])), ElementsAre(kArchiveDamaged));
}

TEST(ArchiveChoiceTest, LatestPassesOverIncrementsOnDamage) {
  const auto latest = [](const std::vector<ArchiveRow>& archives) {
    const auto chosen = ChooseArchive(archives, {"latest", "a"});
    return chosen.ok() ? chosen->id : ErrorCodeOf(chosen.status());
  };
  EXPECT_EQ(latest(ThreeLinks()), kNew);
  EXPECT_EQ(latest(ThreeLinks({kMiddle})), kOld);
  EXPECT_EQ(latest(ThreeLinks({kOld})), kArchiveDamaged);
  std::vector<ArchiveRow> without_base = ThreeLinks();
  without_base.erase(without_base.begin() + 1);
  EXPECT_EQ(latest(without_base), kOld);
}

TEST(ArchiveChoiceTest, DependantsGoBeforeWhatTheyBuildOn) {
  const std::vector<ArchiveRow> links = ThreeLinks();
  EXPECT_THAT(WithDependants(links, {kOld}), ElementsAre(kNew, kMiddle, kOld));
  EXPECT_THAT(WithDependants(links, {kMiddle, kNew}),
              ElementsAre(kNew, kMiddle));
  std::vector<ArchiveRow> circle = ThreeLinks();
  circle[0].manifest->set_base_backup_id(kNew);
  EXPECT_EQ(WithDependants(circle, {kOld}).size(), 3u);
}

}  // namespace
}  // namespace sluice::service
