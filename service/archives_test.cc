#include "sluice/service/archives.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/executor/ulid.h"

namespace sluice::service {
namespace {

constexpr char kEarly[] = "01JD4Q8Z0V0000000000000001";
constexpr char kLate[] = "01JE4Q8Z0V0000000000000003";

std::vector<BackupRecord> RecordsWithIds(const std::vector<std::string>& ids) {
  std::vector<BackupRecord> records;
  for (const std::string& id : ids) records.emplace_back().set_id(id);
  return records;
}

TEST(ArchivesTest, TheNewestRecordTellsThatAClockHasJumped) {
  // In the order of their recording: what is newest by its id came first.
  const std::vector<BackupRecord> records = RecordsWithIds({kLate, kEarly});
  const absl::Time made = TimeOfUlid(kLate);
  EXPECT_EQ(RecordFromTheFuture(records, made - absl::Hours(1)), kLate);
  EXPECT_EQ(RecordFromTheFuture(records, made + absl::Seconds(1)), "");
  EXPECT_EQ(RecordFromTheFuture({}, made), "");
}

TEST(ArchivesTest, ARecordWithoutItsArchiveIsTold) {
  const std::vector<BackupRecord> missing = RecordsWithoutArchive(
      RecordsWithIds({kEarly, kLate}), {{kEarly, Manifest(), {}}});
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].id(), kLate);
}

}  // namespace
}  // namespace sluice::service
