#include "sluice/service/work/job_runner.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/hooks/hooks.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JobRunnerTest : public ::testing::Test {
 protected:
  JobRunnerTest() {
    options_.owner = "test/1";
    options_.on_problem = [this](const BackupJob&, const absl::Status& status) {
      problems_.push_back(status.ToString());
    };
  }

  absl::Status Run(const QueuedRun& run) {
    JobRunner runner(&house_.catalog(), &house_.host(), options_);
    return runner.Run(house_.context(), run);
  }

  BackupJob JobOf(const QueuedRun& run) {
    return house_.catalog().GetJob(house_.context(), run.job.id())->job;
  }

  // A job of another kind than a backup, claimed.
  QueuedRun Claim(QueuedRun run) {
    run.job.set_id(NewUlid(*Clock::Real()));
    run.job.set_status(BackupJob::PENDING);
    run.job.set_repo_id(house_.repo_id());
    run.job.set_created_at_ms(absl::ToUnixMillis(absl::Now()));
    run.request.set_job_id(run.job.id());
    EXPECT_TRUE(house_.catalog().queue().Enqueue(house_.context(), run).ok());
    return **house_.catalog().queue().Claim(house_.context(), {absl::Now()});
  }

  std::string BackUpOnce() {
    const QueuedRun run =
        house_.ClaimBackup(house_.HourlyPlan(house_.store_uri()));
    const absl::Status status = Run(run);
    EXPECT_TRUE(status.ok()) << status;
    return JobOf(run).record_id();
  }

  void DamagePayloadOf(const std::string& id) {
    std::fstream file(
        absl::StrCat(house_.repo_folder(), "/", id, "/payload.bin"),
        std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file.good());
    file.seekp(-1, std::ios::end);
    file << "?";
  }

  TestHouse house_;
  JobRunnerOptions options_;
  std::vector<std::string> problems_;
};

TEST_F(JobRunnerTest, ARunIsTheClaimedJobFromItsRequestToItsLastRow) {
  const QueuedRun run =
      house_.ClaimBackup(house_.HourlyPlan(house_.store_uri()));
  ASSERT_TRUE(Run(run).ok());
  const BackupJob job = JobOf(run);
  EXPECT_EQ(job.status(), BackupJob::SUCCEEDED);
  EXPECT_EQ(job.created_at_ms(), run.job.created_at_ms());
  const auto record =
      house_.catalog().GetRecord(house_.context(), job.record_id());
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->plan_id(), "plan");
  EXPECT_EQ(house_.OpenRepoAgain()
                .destination->GetManifest(house_.context(), record->id())
                ->plan_id(),
            "plan");
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(JobRunnerTest, WhatFailsBeforeTheExecutorEndsTheRowToo) {
  Plan plan = house_.HourlyPlan("memory:?load=/no/such/folder");
  QueuedRun run = house_.ClaimBackup(plan);
  EXPECT_FALSE(Run(run).ok());
  EXPECT_EQ(JobOf(run).status(), BackupJob::FAILED);
  EXPECT_FALSE(JobOf(run).error().empty());
  EXPECT_GT(JobOf(run).finished_at_ms(), 0);

  run = house_.ClaimBackup(house_.HourlyPlan("nonsense:"));
  EXPECT_FALSE(Run(run).ok());
  EXPECT_EQ(JobOf(run).error_code(), kPluginUnusable);
}

class HookedRunTest : public JobRunnerTest {
 protected:
  HookedRunTest() : plan_(house_.HourlyPlan(house_.store_uri())) {}

  void AddHook(const std::string& when, const std::string& script) {
    Hook* const hook = plan_.mutable_spec()->add_hooks();
    hook->set_when(when);
    hook->set_command(absl::StrCat("exec:/bin/sh -c '", script, "'"));
    hook->set_timeout_ms(60'000);
  }
  void AddLoggingHook(const std::string& when) {
    AddHook(when, absl::StrCat("echo $SLUICE_WHEN $SLUICE_PLAN $SLUICE_REPO "
                               "$SLUICE_STATUS >> ",
                               log()));
  }
  QueuedRun ClaimPlanned() {
    plan_.mutable_spec()->set_hooks_required(true);
    EXPECT_TRUE(
        house_.catalog().plans().AddPlan(house_.context(), plan_, {}).ok());
    return house_.ClaimBackup(plan_);
  }
  std::string log() const { return house_.folder() + "/log"; }
  std::string Log() const {
    std::ifstream file(log());
    return std::string(std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>());
  }
  size_t CountEvents(const std::string& type) {
    size_t count = 0;
    const auto events = house_.catalog().events().Read(house_.context(), 0, 99);
    for (const CatalogEvent& event : *events) count += event.type == type;
    return count;
  }

  Plan plan_;
};

TEST_F(HookedRunTest, HooksRunAroundTheBackup) {
  AddLoggingHook("before");
  AddLoggingHook("after");
  AddLoggingHook("after_failure");
  const QueuedRun run = ClaimPlanned();
  ASSERT_TRUE(Run(run).ok());
  const std::string name = plan_.name();
  EXPECT_EQ(Log(), absl::StrCat("before ", name, " disk\nafter ", name,
                                " disk succeeded\n"));
  EXPECT_EQ(CountEvents("hook.failed"), 0u);
}

TEST_F(HookedRunTest, ARequiredHookBeforeItThatFailsMeansNoBackup) {
  AddHook("before", "echo cannot freeze; exit 1");
  AddLoggingHook("after");
  // Had the source been opened, that would be the failure.
  plan_.mutable_spec()->set_source("memory:?load=/no/such/folder");
  const QueuedRun run = ClaimPlanned();
  EXPECT_FALSE(Run(run).ok());
  EXPECT_EQ(JobOf(run).status(), BackupJob::FAILED);
  EXPECT_EQ(JobOf(run).error_code(), kHookFailed);
  EXPECT_THAT(JobOf(run).error(), HasSubstr("cannot freeze"));
  EXPECT_THAT(Log(), HasSubstr("after"));
  EXPECT_TRUE(house_.catalog().ListRecords(house_.context(), {})->empty());
}

TEST_F(HookedRunTest, AHookAfterItThatFailsIsToldAndTheBackupIsOne) {
  AddHook("after", "exit 1");
  const QueuedRun run = ClaimPlanned();
  ASSERT_TRUE(Run(run).ok());
  EXPECT_EQ(JobOf(run).status(), BackupJob::SUCCEEDED);
  EXPECT_EQ(house_.catalog().ListRecords(house_.context(), {})->size(), 1u);
  EXPECT_EQ(CountEvents("hook.failed"), 1u);
  EXPECT_EQ(problems_.size(), 1u);
}

TEST_F(HookedRunTest, AfterAFailedBackupWhatWasFrozenIsThawed) {
  AddLoggingHook("before");
  AddLoggingHook("after");
  AddLoggingHook("after_failure");
  plan_.mutable_spec()->set_source("memory:?load=/no/such/folder");
  const QueuedRun run = ClaimPlanned();
  EXPECT_FALSE(Run(run).ok());
  EXPECT_THAT(Log(), HasSubstr("\nafter "));
  EXPECT_THAT(Log(), HasSubstr("\nafter_failure "));
  EXPECT_EQ(JobOf(run).status(), BackupJob::FAILED);
}

TEST_F(JobRunnerTest, ARepoThatIsAwayFailsTheRunAndHarmsNothing) {
  const QueuedRun run =
      house_.ClaimBackup(house_.HourlyPlan(house_.store_uri()));
  ASSERT_EQ(rename(house_.repo_folder().c_str(),
                   (house_.repo_folder() + "-away").c_str()),
            0);
  EXPECT_FALSE(Run(run).ok());
  EXPECT_EQ(JobOf(run).error_code(), kDestinationNotFound);
}

TEST_F(JobRunnerTest, WhoLosesAtTheLeaseEndsAsInterruptedByOverlap) {
  BackUpOnce();
  const QueuedRun run =
      house_.ClaimBackup(house_.HourlyPlan(house_.store_uri()));
  const auto other = house_.OpenCatalogAgain();
  BackupJob job;
  job.set_id("other");
  job.set_kind(BackupJob::BACKUP);
  job.set_status(BackupJob::RUNNING);
  job.set_repo_id(house_.repo_id());
  job.set_store_id(
      house_.catalog().ListRecords(house_.context(), {})->at(0).store_id());
  ASSERT_TRUE(other->CreateBackupJob(house_.context(), job).ok());
  EXPECT_EQ(ErrorCodeOf(Run(run)), kOverlap);
  EXPECT_EQ(JobOf(run).status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobOf(run).error_code(), kOverlap);
}

TEST_F(JobRunnerTest, ACancelledContextEndsTheRunAsInterrupted) {
  const QueuedRun run =
      house_.ClaimBackup(house_.HourlyPlan(house_.store_uri()));
  auto [context, cancel] = Context::WithCancel(house_.context());
  cancel(MakeError(absl::StatusCode::kAborted, kShutdown, "stopped"));
  JobRunner runner(&house_.catalog(), &house_.host(), options_);
  EXPECT_FALSE(runner.Run(context, run).ok());
  EXPECT_EQ(JobOf(run).status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobOf(run).error_code(), kShutdown);
}

TEST_F(JobRunnerTest, VerifyKeepsWhatItFound) {
  const std::string id = BackUpOnce();
  QueuedRun verify;
  verify.job.set_kind(BackupJob::VERIFY);
  verify.request.add_backup_ids(id);
  QueuedRun run = Claim(verify);
  ASSERT_TRUE(Run(run).ok());
  EXPECT_EQ(JobOf(run).status(), BackupJob::SUCCEEDED);
  auto record = house_.catalog().GetRecord(house_.context(), id);
  EXPECT_EQ(record->verified_depth(), BackupRecord::AUTHENTIC);
  EXPECT_GT(record->verified_at_ms(), 0);
  EXPECT_FALSE(record->damaged());

  DamagePayloadOf(id);
  run = Claim(verify);
  EXPECT_EQ(ErrorCodeOf(Run(run)), kArchiveDamaged);
  EXPECT_EQ(JobOf(run).status(), BackupJob::FAILED);
  record = house_.catalog().GetRecord(house_.context(), id);
  EXPECT_TRUE(record->damaged());
}

TEST_F(JobRunnerTest, ARestoreProvesTheArchive) {
  const std::string id = BackUpOnce();
  QueuedRun restore;
  restore.job.set_kind(BackupJob::RESTORE);
  restore.job.set_backup_id(id);
  restore.request.set_store(
      absl::StrCat("memory:?save=", house_.folder(), "/out"));
  const QueuedRun run = Claim(restore);
  const absl::Status status = Run(run);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(JobOf(run).status(), BackupJob::SUCCEEDED);
  EXPECT_TRUE(std::ifstream(house_.folder() + "/out/a").good());
  EXPECT_EQ(house_.catalog().GetRecord(house_.context(), id)->verified_depth(),
            BackupRecord::RESTORED);
}

TEST_F(JobRunnerTest, ARestoreOfADamagedArchiveMarksItForTheNext) {
  const std::string id = BackUpOnce();
  DamagePayloadOf(id);
  QueuedRun restore;
  restore.job.set_kind(BackupJob::RESTORE);
  restore.job.set_backup_id(id);
  restore.request.set_store(
      absl::StrCat("memory:?save=", house_.folder(), "/out"));
  EXPECT_EQ(ErrorCodeOf(Run(Claim(restore))), kArchiveDamaged);
  EXPECT_TRUE(house_.catalog().GetRecord(house_.context(), id)->damaged());
}

TEST_F(JobRunnerTest, AKindThatNobodyRunsYetFailsInWords) {
  QueuedRun drill;
  drill.job.set_kind(BackupJob::DRILL);
  const QueuedRun run = Claim(drill);
  EXPECT_FALSE(Run(run).ok());
  EXPECT_THAT(JobOf(run).error(), HasSubstr("DRILL"));
}

}  // namespace
}  // namespace sluice::service
