#include "sluice/service/work/prune.h"

#include <filesystem>  // NOLINT(build/c++17)
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/settings/adoption.h"
#include "sluice/service/testing/test_house.h"
#include "sluice/service/work/job_runner.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PruneTest : public ::testing::Test {
 protected:
  PruneTest() : plan_(house_.HourlyPlan(house_.store_uri())) {}

  // Archives of the plan, oldest first, none of which was removed yet.
  std::vector<std::string> BackUp(int count) {
    JobRunner runner(&house_.catalog(), &house_.host(), {});
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      const QueuedRun run = house_.ClaimBackup(plan_);
      const absl::Status status = runner.Run(house_.context(), run);
      EXPECT_TRUE(status.ok()) << status;
      ids.push_back(house_.catalog()
                        .GetJob(house_.context(), run.job.id())
                        ->job.record_id());
    }
    return ids;
  }

  void StorePlanKeeping(uint32_t last) {
    plan_.mutable_spec()->mutable_retention()->set_keep_last(last);
    ASSERT_TRUE(
        house_.catalog().plans().AddPlan(house_.context(), plan_, {}).ok());
  }

  PruneReport Prune(const PruneOptions& options = {}) {
    const OpenedRepo repo = house_.OpenRepoAgain();
    auto report = PruneRepo(house_.context(), house_.catalog(), repo, options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : PruneReport();
  }

  std::vector<std::string> Archives() {
    std::vector<std::string> ids;
    const auto listed =
        house_.OpenRepoAgain().destination->List(house_.context());
    EXPECT_TRUE(listed.ok()) << listed.status();
    for (const Manifest& manifest : *listed)
      ids.push_back(manifest.backup_id());
    return ids;
  }

  TestHouse house_;
  Plan plan_;
};

TEST_F(PruneTest, RemovesWhatThePlanDoesNotWantArchiveAndRecord) {
  const std::vector<std::string> ids = BackUp(3);
  StorePlanKeeping(1);
  EXPECT_THAT(Prune().removed, ElementsAre(ids[0], ids[1]));
  EXPECT_THAT(Archives(), ElementsAre(ids[2]));
  EXPECT_THAT(*house_.catalog().ListRecords(house_.context(), {}), SizeIs(1));
  EXPECT_THAT(Prune().removed, IsEmpty());
}

TEST_F(PruneTest, ADryRunSaysTheSameAndRemovesNothing) {
  const std::vector<std::string> ids = BackUp(2);
  StorePlanKeeping(1);
  PruneOptions dry;
  dry.dry_run = true;
  const PruneReport report = Prune(dry);
  ASSERT_THAT(report.groups, SizeIs(1));
  EXPECT_THAT(report.groups[0].decision.removals, ElementsAre(ids[0]));
  EXPECT_EQ(report.groups[0].plan_name, "hourly");
  EXPECT_THAT(report.removed, IsEmpty());
  EXPECT_THAT(Archives(), SizeIs(2));
}

TEST_F(PruneTest, WhatWasAdoptedIsOnlyPrintedUntilSomebodyAccepts) {
  const std::vector<std::string> ids = BackUp(2);
  StorePlanKeeping(1);
  ASSERT_TRUE(AwaitAcceptance(house_.context(), house_.catalog(), "plan").ok());
  for (int pass = 0; pass < 2; ++pass) {
    const PruneReport held = Prune();
    ASSERT_THAT(held.groups, SizeIs(1));
    ASSERT_THAT(held.groups[0].decision.suspended, SizeIs(1));
    EXPECT_EQ(held.groups[0].decision.suspended[0].kind,
              RetentionSuspension::Kind::kAdopted);
    EXPECT_THAT(held.removed, IsEmpty());
  }
  PruneOptions accept;
  accept.accept_adopted = true;
  accept.dry_run = true;
  EXPECT_THAT(Prune(accept).groups[0].decision.removals, ElementsAre(ids[0]));
  EXPECT_THAT(Prune().removed, IsEmpty());
  accept.dry_run = false;
  EXPECT_THAT(Prune(accept).removed, ElementsAre(ids[0]));
  EXPECT_THAT(Prune().groups[0].decision.suspended, IsEmpty());
}

TEST_F(PruneTest, WhatNobodysPlanMadeIsLeftAlone) {
  BackUp(3);  // by a plan that is stored nowhere
  EXPECT_THAT(Prune().groups, IsEmpty());
  EXPECT_THAT(Archives(), SizeIs(3));
}

TEST_F(PruneTest, APinnedArchiveStaysUntilItsPinEnds) {
  const std::vector<std::string> ids = BackUp(2);
  StorePlanKeeping(1);
  Pin pin;
  pin.reason = "the audit";
  pin.until = absl::Now() + absl::Hours(1);
  ASSERT_TRUE(house_.catalog().SetPin(house_.context(), ids[0], pin).ok());
  EXPECT_THAT(Prune().removed, IsEmpty());
  pin.until = absl::Now() - absl::Seconds(1);
  ASSERT_TRUE(house_.catalog().SetPin(house_.context(), ids[0], pin).ok());
  EXPECT_THAT(Prune().removed, ElementsAre(ids[0]));
}

TEST_F(PruneTest, WhatAJobReadsOrBuildsOnStays) {
  const std::vector<std::string> ids = BackUp(3);
  StorePlanKeeping(1);
  const auto other = house_.OpenCatalogAgain();
  BackupJob restore;
  restore.set_id("restore");
  restore.set_kind(BackupJob::RESTORE);
  restore.set_status(BackupJob::RUNNING);
  restore.set_repo_id(house_.repo_id());
  restore.set_backup_id(ids[0]);
  ASSERT_TRUE(other->CreateBackupJob(house_.context(), restore).ok());
  BackupJob increment = restore;
  increment.set_id("increment");
  increment.set_kind(BackupJob::BACKUP);
  increment.set_store_id("x");
  increment.set_backup_id("new");
  increment.set_base_backup_id(ids[1]);
  ASSERT_TRUE(other->CreateBackupJob(house_.context(), increment).ok());
  EXPECT_THAT(Prune().removed, IsEmpty());
  restore.set_status(BackupJob::SUCCEEDED);
  ASSERT_TRUE(other->UpdateBackupJob(house_.context(), restore).ok());
  EXPECT_THAT(Prune().removed, ElementsAre(ids[0]));
}

TEST_F(PruneTest, AnArchiveThatIsGoneAlreadyCostsOnlyItsRecord) {
  const std::vector<std::string> ids = BackUp(2);
  const OpenedRepo repo = house_.OpenRepoAgain();
  ASSERT_TRUE(repo.destination->Delete(house_.context(), ids[0]).ok());
  EXPECT_TRUE(
      RemoveArchive(house_.context(), house_.catalog(), repo, ids[0]).ok());
  EXPECT_THAT(*house_.catalog().ListRecords(house_.context(), {}), SizeIs(1));
  EXPECT_TRUE(
      RemoveArchive(house_.context(), house_.catalog(), repo, ids[0]).ok());
}

TEST_F(PruneTest, ARemovalThatWasBrokenOffBeforeTheRecordIsEndedByTheNext) {
  const std::vector<std::string> ids = BackUp(2);
  StorePlanKeeping(2);
  const OpenedRepo repo = house_.OpenRepoAgain();
  ASSERT_TRUE(repo.destination->Delete(house_.context(), ids[0]).ok());
  PruneOptions dry;
  dry.dry_run = true;
  EXPECT_THAT(Prune(dry).removed, IsEmpty());
  EXPECT_THAT(*house_.catalog().ListRecords(house_.context(), {}), SizeIs(2));
  EXPECT_THAT(Prune().removed, ElementsAre(ids[0]));
  EXPECT_THAT(*house_.catalog().ListRecords(house_.context(), {}), SizeIs(1));
}

TEST_F(PruneTest, AnArchiveThatIsOnlyNotThereKeepsItsRecord) {
  const std::vector<std::string> ids = BackUp(2);
  StorePlanKeeping(2);
  std::filesystem::rename(house_.repo_folder() + "/" + ids[0],
                          house_.folder() + "/elsewhere");
  EXPECT_THAT(Prune().removed, IsEmpty());
  EXPECT_THAT(*house_.catalog().ListRecords(house_.context(), {}), SizeIs(2));
}

TEST_F(PruneTest, RemovalsAreCounted) {
  BackUp(2);
  StorePlanKeeping(1);
  Prune();
  const auto totals = house_.catalog().events().Totals(house_.context());
  int64_t removed = 0;
  for (const CatalogTotal& total : *totals) {
    if (total.metric == "removed") removed += total.value;
  }
  EXPECT_EQ(removed, 1);
}

}  // namespace
}  // namespace sluice::service
