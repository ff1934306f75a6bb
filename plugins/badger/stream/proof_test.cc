#include "sluice/plugins/badger/stream/proof.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_walk.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint64_t kTimeOfProof = 1700000000;

absl::StatusOr<ProofTotals> Prove(const Fixture& fixture, int jobs) {
  const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
  if (!image.ok()) return image.status();
  return ProveImage(**image, {kTimeOfProof}, jobs, sdk::Run());
}

TEST(ProofTest, CountsWhatABackupHoldsWithAnyNumberOfThreads) {
  for (const std::string& name : FixtureNames()) {
    const Fixture fixture(name);
    const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
    ASSERT_TRUE(image.ok()) << image.status();
    const auto versions = (*image)->ReadVersions();
    ASSERT_TRUE(versions.ok()) << versions.status();
    const auto walked =
        WalkBackup(**versions, {kTimeOfProof}, sdk::Run(),
                   [](const StreamEntry&) { return absl::OkStatus(); });
    ASSERT_TRUE(walked.ok()) << walked.status();
    for (const int jobs : {1, 2, 5}) {
      const auto proven = Prove(fixture, jobs);
      ASSERT_TRUE(proven.ok()) << name << ": " << proven.status();
      EXPECT_GE(proven->versions, walked->versions) << name;
      EXPECT_GE(proven->bytes, walked->bytes) << name;
      // Internal keys, and what compaction has not dropped yet.
      EXPECT_LE(proven->versions, 3 * walked->versions + 100) << name;
    }
  }
}

// One byte of the last table's first block is not what it was.
TEST(ProofTest, FindsDamageInWhicheverRangeItIs) {
  for (const int table : {39, 45, 51}) {
    const Fixture fixture("v4-zstd-levels");
    const std::string path =
        fixture.folder() + "/0000" + std::to_string(table) + ".sst";
    std::string bytes = ReadBytes(path);
    ASSERT_GT(bytes.size(), 100u) << path;
    bytes[bytes.size() / 4] ^= 1;
    WriteBytes(path, bytes);
    for (const int jobs : {1, 2, 5}) {
      const absl::Status status = Prove(fixture, jobs).status();
      EXPECT_EQ(ErrorCodeOf(status), kSourceFailed) << table << ": " << status;
      EXPECT_TRUE(absl::StrContains(status.message(), ".sst")) << status;
    }
  }
}

// A value that is nowhere: its log is gone.
TEST(ProofTest, FollowsWhatLeadsIntoValueLogs) {
  const Fixture fixture("v4-snappy-vlog");
  std::filesystem::remove(fixture.folder() + "/000002.vlog");
  for (const int jobs : {1, 3}) {
    const absl::Status status = Prove(fixture, jobs).status();
    EXPECT_EQ(ErrorCodeOf(status), kSourceFailed) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "000002.vlog")) << status;
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
