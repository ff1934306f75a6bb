#include "sluice/service/base_choice.h"

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/executor/executor.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

std::string IdOf(size_t number) {
  return absl::StrFormat("01JD4Q8Z0V%016d", number);
}

// A full backup and increments, each on the one before.
std::vector<ArchiveRow> ChainOfLength(size_t length) {
  std::vector<ArchiveRow> archives;
  for (size_t i = 0; i < length; ++i) {
    Manifest manifest;
    manifest.set_backup_id(IdOf(i));
    manifest.set_store_id("orders");
    if (i > 0) manifest.set_base_backup_id(IdOf(i - 1));
    archives.push_back({IdOf(i), manifest, {}});
  }
  return archives;
}

std::string BaseId(const BaseChoice& choice) {
  return choice.base.has_value() ? choice.base->backup_id() : "none";
}

TEST(BaseChoiceTest, WithoutAWishItIsAFullBackup) {
  const auto choice = ChooseBase(ChainOfLength(3), {});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(BaseId(*choice), "none");
  EXPECT_EQ(choice->why_full, "");
}

TEST(BaseChoiceTest, LatestIsTheEndOfTheChain) {
  EXPECT_EQ(BaseId(*ChooseBase(ChainOfLength(3), {"latest", "orders"})),
            IdOf(2));
}

TEST(BaseChoiceTest, TheFirstOfASeriesIsFullAndSaysWhy) {
  const auto choice = ChooseBase({}, {"latest", "orders"});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(BaseId(*choice), "none");
  EXPECT_NE(choice->why_full, "");
}

TEST(BaseChoiceTest, NothingIsBuiltOnWhatBuildsOnDamage) {
  std::vector<ArchiveRow> archives = ChainOfLength(3);
  archives[0].record.emplace().set_damaged(true);
  EXPECT_EQ(BaseId(*ChooseBase(archives, {"latest", "orders"})), "none");
  EXPECT_EQ(ErrorCodeOf(ChooseBase(archives, {IdOf(2), "orders"}).status()),
            kArchiveDamaged);
}

TEST(BaseChoiceTest, WhatIsNamedIsNeverReplacedByAFullBackup) {
  EXPECT_EQ(
      ErrorCodeOf(ChooseBase(ChainOfLength(2), {IdOf(7), "orders"}).status()),
      kArchiveNotFound);
}

TEST(BaseChoiceTest, AChainOfTheGreatestLengthBeginsAnew) {
  const auto last =
      ChooseBase(ChainOfLength(kMaxChainLength - 1), {"latest", "orders"});
  EXPECT_EQ(BaseId(*last), IdOf(kMaxChainLength - 2));
  const auto choice =
      ChooseBase(ChainOfLength(kMaxChainLength), {"latest", "orders"});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(BaseId(*choice), "none");
  EXPECT_THAT(choice->why_full, HasSubstr("ends a chain of 1000"));
}

TEST(BaseChoiceTest, ABaseThatCannotBeReadIsAnErrorNotAFullBackup) {
  std::vector<ArchiveRow> archives = ChainOfLength(1);
  archives[0].manifest = MakeError(absl::StatusCode::kPermissionDenied,
                                   kDestinationPermissionDenied, "open it");
  BackupRecord& record = archives[0].record.emplace();
  record.set_id(IdOf(0));
  record.set_store_id("orders");
  EXPECT_EQ(ErrorCodeOf(ChooseBase(archives, {IdOf(0), "orders"}).status()),
            kDestinationPermissionDenied);
}

}  // namespace
}  // namespace sluice::service
