#include "sluice/service/work/restore_preview.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/testing/test_house.h"
#include "sluice/service/work/job_runner.h"

namespace sluice::service {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class RestorePreviewTest : public ::testing::Test {
 protected:
  RestorePreviewTest() {
    Plan nobody = house_.HourlyPlan(house_.store_uri());
    nobody.clear_id();
    const QueuedRun run = house_.ClaimBackup(nobody);
    EXPECT_TRUE(JobRunner(&house_.catalog(), &house_.host(), {})
                    .Run(house_.context(), run)
                    .ok());
    id_ = house_.catalog()
              .GetJob(house_.context(), run.job.id())
              ->job.record_id();
  }

  RestorePreview Preview(const std::string& target,
                         const std::set<std::string>& damaged = {}) {
    RestoreProbe probe;
    probe.facts = *house_.host().ReadSourceUri(target);
    probe.target = house_.host().CreateSource(target);
    probe.backup_id = id_;
    probe.damaged = damaged;
    return PreviewRestore(house_.context(), house_.OpenRepoAgain(), probe);
  }

  std::string OutUri() const {
    return "memory:?save=" + house_.folder() + "/out";
  }

  TestHouse house_;
  std::string id_;
};

TEST_F(RestorePreviewTest, SaysWhatWouldBeRestoredAndDoesNothing) {
  const RestorePreview preview = Preview(OutUri());
  EXPECT_TRUE(preview.possible()) << preview.in_the_way.front();
  ASSERT_THAT(preview.chain, SizeIs(1));
  EXPECT_EQ(preview.chain[0].backup_id(), id_);
  EXPECT_EQ(preview.needed_bytes, preview.chain[0].plain_size_bytes());
  EXPECT_TRUE(preview.free_bytes.has_value());
  EXPECT_FALSE(std::filesystem::exists(house_.folder() + "/out"));
  const auto jobs = house_.catalog().ListJobs(house_.context(), {});
  EXPECT_THAT(*jobs, SizeIs(1)) << "that of the backup";
  const Json json = PreviewJson(preview);
  EXPECT_EQ(json["archives"], Json::array({id_}));
  EXPECT_EQ(json["possible"], true);
}

TEST_F(RestorePreviewTest, TellsWhatIsInTheWayInTheRestoresOrder) {
  std::filesystem::create_directory(house_.folder() + "/out");
  std::ofstream(house_.folder() + "/out/b") << "b\n";
  const RestorePreview preview = Preview(OutUri(), {id_});
  ASSERT_THAT(preview.in_the_way, SizeIs(2));
  EXPECT_EQ(ErrorCodeOf(preview.in_the_way[0]), kRestorePreconditionFailed);
  EXPECT_EQ(ErrorCodeOf(preview.in_the_way[1]), kArchiveDamaged);
  EXPECT_THAT(preview.chain, SizeIs(1)) << "what is in the way is only told";
}

TEST_F(RestorePreviewTest, AManifestThatIsDamagedOrGoneIsNoRestore) {
  const std::string manifest =
      house_.repo_folder() + "/" + id_ + "/manifest.json";
  std::ofstream(manifest, std::ios::app) << " ";
  const RestorePreview damaged = Preview(OutUri());
  ASSERT_FALSE(damaged.possible());
  EXPECT_EQ(ErrorCodeOf(damaged.in_the_way[0]), kArchiveDamaged);
  EXPECT_THAT(damaged.chain, IsEmpty());
  std::filesystem::remove_all(house_.repo_folder() + "/" + id_);
  const RestorePreview gone = Preview(OutUri());
  ASSERT_FALSE(gone.possible());
  EXPECT_EQ(ErrorCodeOf(gone.in_the_way[0]), kArchiveNotFound);
}

TEST_F(RestorePreviewTest, ATargetWithinTheRepoIsRefused) {
  const RestorePreview preview =
      Preview("memory:?save=" + house_.repo_folder() + "/out");
  ASSERT_FALSE(preview.possible());
  EXPECT_THAT(preview.in_the_way, SizeIs(1));
}

}  // namespace
}  // namespace sluice::service
