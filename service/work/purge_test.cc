#include "sluice/service/work/purge.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/destinations/archive/passing_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/runner.h"
#include "sluice/service/testing/test_house.h"
#include "sluice/service/work/job_runner.h"

namespace sluice::service {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// A place that lets nothing of one archive go, nor be written over.
class StubbornPlace final : public PassingStore {
 public:
  StubbornPlace(std::shared_ptr<ObjectStore> place, std::string id)
      : PassingStore(std::move(place)), id_(std::move(id)) {}

  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Context& context,
                                                      absl::string_view name,
                                                      uint64_t hint) override {
    SLUICE_RETURN_IF_ERROR(Check(name));
    return PassingStore::Begin(context, name, hint);
  }
  absl::Status Delete(const Context& context, absl::string_view name) override {
    SLUICE_RETURN_IF_ERROR(Check(name));
    return PassingStore::Delete(context, name);
  }

 private:
  absl::Status Check(absl::string_view name) const {
    if (name.substr(0, id_.size()) != id_) return absl::OkStatus();
    return MakeError(absl::StatusCode::kPermissionDenied,
                     kDestinationPermissionDenied, "it is locked");
  }

  const std::string id_;
};

// Does something before it deletes anything.
class BusyPlace final : public PassingStore {
 public:
  BusyPlace(std::shared_ptr<ObjectStore> place, std::function<void()> before)
      : PassingStore(std::move(place)), before_(std::move(before)) {}

  absl::Status Delete(const Context& context, absl::string_view name) override {
    before_();
    return PassingStore::Delete(context, name);
  }

 private:
  const std::function<void()> before_;
};

class PurgeTest : public ::testing::Test {
 protected:
  // By a person, oldest first.
  std::vector<std::string> BackUp(int count) {
    JobRunner runner(&house_.catalog(), &house_.host(), {});
    Plan nobody = house_.HourlyPlan(house_.store_uri());
    nobody.clear_id();
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      const QueuedRun run = house_.ClaimBackup(nobody);
      const absl::Status status = runner.Run(house_.context(), run);
      EXPECT_TRUE(status.ok()) << status;
      ids.push_back(house_.catalog()
                        .GetJob(house_.context(), run.job.id())
                        ->job.record_id());
    }
    return ids;
  }

  PurgeReport Purge() {
    const OpenedRepo repo = house_.OpenRepoAgain();
    auto report = PurgeRepo(house_.context(), house_.catalog(), repo, {});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : PurgeReport();
  }

  // The job of kind PURGE, claimed.
  QueuedRun ClaimPurge() {
    QueuedRun run;
    run.job.set_id(NewUlid(*Clock::Real()));
    run.job.set_kind(BackupJob::PURGE);
    run.job.set_status(BackupJob::PENDING);
    run.job.set_repo_id(house_.repo_id());
    run.request.set_job_id(run.job.id());
    EXPECT_TRUE(house_.catalog().queue().Enqueue(house_.context(), run).ok());
    const auto claimed =
        house_.catalog().queue().Claim(house_.context(), {absl::Now()});
    EXPECT_TRUE(claimed.ok() && claimed->has_value());
    return **claimed;
  }

  // Run to its end.
  BackupJob RunJob() {
    const QueuedRun run = ClaimPurge();
    JobRunner(&house_.catalog(), &house_.host(), {})
        .Run(house_.context(), run)
        .IgnoreError();
    return house_.catalog().GetJob(house_.context(), run.job.id())->job;
  }

  // A backup as the command has it: no queue is asked.
  BackupResult Type(Catalog& catalog, const OpenedRepo& repo) {
    const auto source = house_.host().CreateSource(house_.store_uri());
    EXPECT_TRUE(source.ok()) << source.status();
    BackupRequest request;
    request.source = *source;
    request.store_id = "store";
    const auto [context, cancel] = Context::WithCancel(house_.context());
    return RunBackup({context, cancel}, catalog, repo, request);
  }

  bool RepoIsKnown() {
    return house_.catalog().GetRepo(house_.context(), house_.repo_id()).ok();
  }

  std::vector<std::string> Records() {
    std::vector<std::string> ids;
    const auto records = house_.catalog().ListRecords(house_.context(), {});
    for (const BackupRecord& record : *records) ids.push_back(record.id());
    return ids;
  }

  bool IsStored(const std::string& id) {
    return std::filesystem::exists(house_.repo_folder() + "/" + id +
                                   "/payload.bin");
  }

  void Pin(const std::string& id) {
    sluice::Pin pin;
    pin.reason = "the audit";
    ASSERT_TRUE(house_.catalog().SetPin(house_.context(), id, pin).ok());
  }

  TestHouse house_;
};

TEST_F(PurgeTest, TakesEachArchiveThenItsRecordThenTheRepo) {
  const std::vector<std::string> ids = BackUp(3);
  const BackupJob job = RunJob();
  EXPECT_EQ(job.status(), BackupJob::SUCCEEDED) << job.error();
  EXPECT_THAT(Records(), IsEmpty());
  for (const std::string& id : ids) EXPECT_FALSE(IsStored(id));
  EXPECT_FALSE(RepoIsKnown());
}

TEST_F(PurgeTest, WhatIsPinnedStaysWithTheRepoAndTheJobFailsWithItsId) {
  const std::vector<std::string> ids = BackUp(3);
  Pin(ids[1]);
  const BackupJob job = RunJob();
  EXPECT_EQ(job.status(), BackupJob::FAILED);
  EXPECT_EQ(job.error_code(), kPurgeIncomplete);
  EXPECT_THAT(job.error(), HasSubstr(ids[1]));
  ASSERT_EQ(job.warnings_size(), 1);
  EXPECT_EQ(job.warnings(0).code(), kArchiveKept);
  EXPECT_EQ(job.warnings(0).message(), ids[1] + ": it is pinned: the audit");
  EXPECT_TRUE(RepoIsKnown());
  EXPECT_TRUE(IsStored(ids[1]));
  EXPECT_THAT(Records(), ElementsAre(ids[1]));
  // Done again once nothing holds it.
  ASSERT_TRUE(
      house_.catalog().SetPin(house_.context(), ids[1], absl::nullopt).ok());
  EXPECT_EQ(RunJob().status(), BackupJob::SUCCEEDED);
  EXPECT_FALSE(RepoIsKnown());
}

TEST_F(PurgeTest, PlansAndJobsHoldItBackByNameBeforeAnythingIsDeleted) {
  const std::vector<std::string> ids = BackUp(2);
  const BackupRepo row =
      *house_.catalog().GetRepo(house_.context(), house_.repo_id());
  const Plan plan = house_.HourlyPlan(house_.store_uri());
  ASSERT_TRUE(
      house_.catalog().plans().AddPlan(house_.context(), plan, {}).ok());
  const auto refused =
      PurgeRepo(house_.context(), house_.catalog(), house_.OpenRepoAgain(), {});
  EXPECT_EQ(ErrorCodeOf(refused.status()), kRepoInUse);
  EXPECT_THAT(refused.status().message(), HasSubstr("hourly"));
  ASSERT_TRUE(
      house_.catalog().plans().RemovePlan(house_.context(), plan.id()).ok());

  BackupJob restore;
  restore.set_id("restore");
  restore.set_kind(BackupJob::RESTORE);
  restore.set_status(BackupJob::RUNNING);
  restore.set_repo_id(house_.repo_id());
  restore.set_backup_id(ids[0]);
  const auto other = house_.OpenCatalogAgain();
  ASSERT_TRUE(other->CreateBackupJob(house_.context(), restore).ok());
  const absl::Status busy =
      CheckRepoIsFree(house_.context(), house_.catalog(), row, "");
  EXPECT_EQ(ErrorCodeOf(busy), kRepoInUse);
  EXPECT_THAT(busy.message(), HasSubstr("restore"));
  EXPECT_TRUE(
      CheckRepoIsFree(house_.context(), house_.catalog(), row, "restore").ok());
  EXPECT_THAT(Records(), SizeIs(2));
  EXPECT_TRUE(IsStored(ids[0]) && IsStored(ids[1]));
}

TEST_F(PurgeTest, NothingIsBackedUpBesideItWhoeverTypesIt) {
  const std::vector<std::string> ids = BackUp(2);
  const QueuedRun run = ClaimPurge();
  OpenedRepo repo = house_.OpenRepoAgain();
  // Each time in the midst of it, where it looks for nobody.
  const auto other = house_.OpenCatalogAgain();
  const OpenedRepo theirs = house_.OpenRepoAgain();
  std::vector<std::string> refused;
  repo.store = std::make_shared<BusyPlace>(repo.store, [&] {
    refused.push_back(ErrorCodeOf(Type(*other, theirs).status));
  });
  ArchiveOptions options;
  options.repo_id = house_.repo_id();
  repo.destination =
      ArchiveDestination::Create(repo.store, Clock::Real(), options);
  const auto report =
      PurgeRepo(house_.context(), house_.catalog(), repo, {run.job.id()});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->problem.ok()) << report->problem;
  EXPECT_THAT(refused, Each(std::string(kRepoInUse)));
  EXPECT_THAT(refused, Not(IsEmpty()));
  EXPECT_FALSE(RepoIsKnown());
  EXPECT_THAT(Records(), IsEmpty());
}

TEST_F(PurgeTest, WhoOpenedTheRepoBeforeItWasForgottenLeavesNothingInIt) {
  const OpenedRepo opened = house_.OpenRepoAgain();
  ASSERT_EQ(RunJob().status(), BackupJob::SUCCEEDED);
  const BackupResult late = Type(house_.catalog(), opened);
  EXPECT_EQ(ErrorCodeOf(late.status), kRepoNotFound) << late.status;
  ASSERT_TRUE(late.job.has_value());
  EXPECT_EQ(late.job->status(), BackupJob::FAILED);
  EXPECT_FALSE(std::filesystem::exists(house_.repo_folder() + "/" +
                                       late.job->backup_id()));
  EXPECT_THAT(Records(), IsEmpty());
}

TEST_F(PurgeTest, AnArchiveThatIsGoneAlreadyIsNoObstacle) {
  const std::vector<std::string> ids = BackUp(2);
  // Broken off between archive and row.
  ASSERT_TRUE(house_.OpenRepoAgain()
                  .destination->Delete(house_.context(), ids[0])
                  .ok());
  EXPECT_TRUE(Purge().problem.ok());
  EXPECT_THAT(Records(), IsEmpty());
  EXPECT_FALSE(RepoIsKnown());
}

TEST_F(PurgeTest, OneThatCannotBeDeletedStaysAndTheOthersGo) {
  const std::vector<std::string> ids = BackUp(3);
  OpenedRepo repo = house_.OpenRepoAgain();
  ArchiveOptions options;
  options.repo_id = house_.repo_id();
  repo.store = std::make_shared<StubbornPlace>(repo.store, ids[1]);
  repo.destination =
      ArchiveDestination::Create(repo.store, Clock::Real(), options);
  const auto report = PurgeRepo(house_.context(), house_.catalog(), repo, {});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(ErrorCodeOf(report->problem), kDestinationPermissionDenied);
  EXPECT_THAT(report->problem.message(), HasSubstr(ids[1]));
  ASSERT_THAT(report->kept, SizeIs(1));
  EXPECT_EQ(report->kept[0].id, ids[1]);
  EXPECT_THAT(Records(), ElementsAre(ids[1])) << "no row without its archive";
  EXPECT_TRUE(RepoIsKnown());
  // Done again once the place lets it go.
  EXPECT_TRUE(Purge().problem.ok());
  EXPECT_FALSE(RepoIsKnown());
}

TEST_F(PurgeTest, WhatLiesThereOfOthersStaysAndHoldsNothingBack) {
  const std::vector<std::string> ids = BackUp(1);
  // Another catalog's, as this one sees it: the folder is its own.
  TestHouse other;
  JobRunner runner(&other.catalog(), &other.host(), {});
  Plan nobody = other.HourlyPlan(other.store_uri());
  nobody.clear_id();
  const QueuedRun run = other.ClaimBackup(nobody);
  ASSERT_TRUE(runner.Run(other.context(), run).ok());
  const std::string foreign =
      other.catalog().GetJob(other.context(), run.job.id())->job.record_id();
  std::filesystem::copy(other.repo_folder() + "/" + foreign,
                        house_.repo_folder() + "/" + foreign);
  std::ofstream(house_.repo_folder() + "/notes.txt") << "mine\n";
  const BackupJob job = RunJob();
  EXPECT_EQ(job.status(), BackupJob::SUCCEEDED) << job.error();
  ASSERT_EQ(job.warnings_size(), 1);
  EXPECT_EQ(job.warnings(0).code(), kArchiveOfOthers);
  EXPECT_THAT(job.warnings(0).message(), HasSubstr(foreign));
  EXPECT_TRUE(IsStored(foreign));
  EXPECT_FALSE(IsStored(ids[0]));
  EXPECT_TRUE(std::filesystem::exists(house_.repo_folder() + "/notes.txt"));
}

TEST_F(PurgeTest, APlaceThatIsAwayForgetsNothing) {
  const std::vector<std::string> ids = BackUp(1);
  std::filesystem::rename(house_.repo_folder(), house_.repo_folder() + ".off");
  const BackupJob job = RunJob();
  EXPECT_EQ(job.status(), BackupJob::FAILED);
  EXPECT_EQ(job.error_code(), kDestinationNotFound);
  EXPECT_TRUE(RepoIsKnown());
  EXPECT_THAT(Records(), ElementsAre(ids[0]));
}

TEST_F(PurgeTest, OneThatIsCancelledKeepsTheRepoAndWhatIsLeftIsNamed) {
  BackUp(2);
  auto [context, cancel] = Context::WithCancel(house_.context());
  const OpenedRepo repo = house_.OpenRepoAgain();
  cancel(absl::CancelledError("enough"));
  EXPECT_FALSE(PurgeRepo(context, house_.catalog(), repo, {}).ok());
  EXPECT_TRUE(RepoIsKnown());
  EXPECT_THAT(Records(), SizeIs(2));
}

}  // namespace
}  // namespace sluice::service
