#include "sluice/executor/block_hold.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/executor/testing/fake_destination.h"
#include "sluice/executor/testing/no_destination.h"

namespace sluice {
namespace {

using Point = FakeDestination::Point;

constexpr char kOne[] = "01ARZ3NDEKTSV4RRFFQ69G5FA1";
constexpr char kTwo[] = "01ARZ3NDEKTSV4RRFFQ69G5FA2";

class BlockHoldTest : public ::testing::Test {
 protected:
  void PutArchive(FakeDestination& repo, const std::string& id,
                  std::vector<std::string> ids) {
    FakeDestination::Archive archive =
        FakeDestination::MakeArchive(id, "payload", "orders", "fake");
    archive.manifest.set_payload_id_count(ids.size());
    archive.ids = std::move(ids);
    repo.Put(std::move(archive));
  }

  BlockHold Take() {
    return BlockHold::Take(Context::Background(), clock_, {repo_, other_},
                           [this](const Context&) { return jobs_; }, {});
  }

  BackupJob RunningSince(absl::Time start) {
    BackupJob job;
    job.set_kind(BackupJob::BACKUP);
    job.set_status(BackupJob::RUNNING);
    job.set_started_at_ms(absl::ToUnixMillis(start));
    return job;
  }

  absl::Time LongAgo() const { return clock_.Now() - absl::Hours(24); }

  FakeClock clock_;
  std::shared_ptr<FakeDestination> repo_ = std::make_shared<FakeDestination>();
  std::shared_ptr<FakeDestination> other_ = std::make_shared<FakeDestination>();
  absl::StatusOr<std::vector<BackupJob>> jobs_ = std::vector<BackupJob>();
};

TEST_F(BlockHoldTest, HoldsWhatAnyPublishedArchiveNamesAndNothingElse) {
  PutArchive(*repo_, kOne, {"a", "b"});
  PutArchive(*repo_, kTwo, {"b", "c"});
  PutArchive(*other_, kOne, {"d"});
  const BlockHold hold = Take();
  ASSERT_TRUE(hold.why().ok()) << hold.why();
  EXPECT_EQ(hold.published_ids(), 4u);
  for (const char* id : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(hold.Holds(id, LongAgo())) << id;
  }
  EXPECT_FALSE(hold.Holds("e", LongAgo()));
  EXPECT_FALSE(hold.Holds("", LongAgo()));
}

TEST_F(BlockHoldTest, LetsGoWhatOnlyADeletedArchiveNamed) {
  PutArchive(*repo_, kOne, {"a"});
  ASSERT_TRUE(repo_->Delete(Context::Background(), kOne).ok());
  EXPECT_FALSE(Take().Holds("a", LongAgo()));
}

TEST_F(BlockHoldTest, HoldsWhatWasAliveSinceTheFirstRunningJobBegan) {
  const absl::Time began = clock_.Now() - absl::Hours(2);
  jobs_->push_back(RunningSince(clock_.Now() - absl::Hours(1)));
  jobs_->push_back(RunningSince(began));
  const BlockHold hold = Take();
  EXPECT_TRUE(hold.Holds("any", began + absl::Seconds(1)));
  EXPECT_TRUE(hold.Holds("any", began - absl::Minutes(4))) << "clocks differ";
  EXPECT_FALSE(hold.Holds("any", began - absl::Minutes(6)));
}

TEST_F(BlockHoldTest, HoldsFromTheCreationOfARunningJobWithoutAStart) {
  BackupJob running;
  running.set_kind(BackupJob::BACKUP);
  running.set_status(BackupJob::RUNNING);
  running.set_created_at_ms(absl::ToUnixMillis(clock_.Now() - absl::Hours(3)));
  jobs_->push_back(running);
  EXPECT_TRUE(Take().Holds("any", clock_.Now() - absl::Hours(2)));
}

// Its snapshot will be taken after this moment, whatever it waits for.
TEST_F(BlockHoldTest, APendingJobHoldsNothing) {
  BackupJob pending;
  pending.set_kind(BackupJob::BACKUP);
  pending.set_status(BackupJob::PENDING);
  pending.set_created_at_ms(absl::ToUnixMillis(clock_.Now() - absl::Hours(3)));
  jobs_->push_back(pending);
  EXPECT_FALSE(Take().Holds("any", clock_.Now() - absl::Hours(2)));
}

TEST_F(BlockHoldTest, ARestoreHoldsNothing) {
  BackupJob restore = RunningSince(LongAgo());
  restore.set_kind(BackupJob::RESTORE);
  jobs_->push_back(restore);
  EXPECT_FALSE(Take().Holds("any", clock_.Now() - absl::Hours(2)));
}

// A job that begins after the hold was taken may name a block that dies only
// then.
TEST_F(BlockHoldTest, HoldsWhatDiedAfterItWasTaken) {
  const BlockHold hold = Take();
  EXPECT_TRUE(hold.Holds("any", clock_.Now()));
  EXPECT_TRUE(hold.Holds("any", clock_.Now() + absl::Hours(1)));
  EXPECT_FALSE(hold.Holds("any", clock_.Now() - absl::Hours(1)));
}

// In the other order, a job that ends between the two looks would be in
// neither.
TEST_F(BlockHoldTest, AJobThatPublishesWhileTheHoldIsTakenIsNotMissed) {
  const BlockHold hold = BlockHold::Take(
      Context::Background(), clock_, {repo_},
      [this](const Context&) -> absl::StatusOr<std::vector<BackupJob>> {
        PutArchive(*repo_, kOne, {"a"});  // and it is running no more
        return std::vector<BackupJob>();
      },
      {});
  EXPECT_TRUE(hold.Holds("a", LongAgo()));
}

TEST_F(BlockHoldTest, HoldsEverythingWhereARepoIsUnreachable) {
  class Unreachable final : public NoDestination {
    absl::StatusOr<std::vector<Manifest>> List(const Context&) override {
      return MakeError(absl::StatusCode::kUnavailable, kDestinationUnreachable,
                       "no route to host");
    }
  };
  PutArchive(*repo_, kOne, {"a"});
  const BlockHold hold = BlockHold::Take(
      Context::Background(), clock_, {repo_, std::make_shared<Unreachable>()},
      [this](const Context&) { return jobs_; }, {});
  EXPECT_TRUE(hold.holds_everything());
  EXPECT_EQ(ErrorCodeOf(hold.why()), kDestinationUnreachable);
  EXPECT_TRUE(hold.Holds("any", LongAgo()));
}

TEST_F(BlockHoldTest, HoldsEverythingWhereAnArchiveCannotBeRead) {
  PutArchive(*repo_, kOne, {"a"});
  FakeDestination::Archive damaged = repo_->archives()[0];
  damaged.payload = "paxload";
  repo_->Put(damaged);
  const BlockHold hold = Take();
  EXPECT_EQ(ErrorCodeOf(hold.why()), kArchiveDamaged);
  EXPECT_TRUE(hold.Holds("any", LongAgo()));
}

TEST_F(BlockHoldTest, HoldsEverythingWhereAListIsShort) {
  PutArchive(*repo_, kOne, {"a", "b"});
  FakeDestination::Archive cut = repo_->archives()[0];
  cut.ids.pop_back();
  repo_->Put(cut);
  EXPECT_TRUE(Take().Holds("any", LongAgo()));
  // Also where all of it is gone.
  cut.ids.clear();
  repo_->Put(cut);
  EXPECT_TRUE(Take().Holds("any", LongAgo()));
}

TEST_F(BlockHoldTest, HoldsEverythingWhereTheJobsCannotBeListed) {
  jobs_ = absl::UnavailableError("the catalog is locked");
  const BlockHold hold = Take();
  EXPECT_TRUE(hold.holds_everything());
  EXPECT_TRUE(hold.Holds("any", LongAgo()));
}

TEST_F(BlockHoldTest, HoldsEverythingWhereItWasCancelled) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  cancel(absl::CancelledError("over"));
  const BlockHold hold = BlockHold::Take(
      context, clock_, {repo_}, [this](const Context&) { return jobs_; }, {});
  EXPECT_TRUE(hold.holds_everything());
}

}  // namespace
}  // namespace sluice
