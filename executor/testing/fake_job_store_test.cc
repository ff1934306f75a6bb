#include "sluice/executor/testing/fake_job_store.h"

#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

using Call = FakeJobStore::Call;

BackupJob Running(absl::string_view id) {
  BackupJob job;
  job.set_id(std::string(id));
  job.set_kind(BackupJob::BACKUP);
  job.set_status(BackupJob::RUNNING);
  job.set_repo_id("repo");
  job.set_store_id("store");
  return job;
}

TEST(FakeJobStoreTest, RefusesASecondBackupOfTheSameRepoAndStore) {
  FakeJobStore jobs;
  const Context context = Context::Background();
  ASSERT_TRUE(jobs.CreateBackupJob(context, Running("a")).ok());
  const absl::Status refused = jobs.CreateBackupJob(context, Running("b"));
  EXPECT_EQ(ErrorCodeOf(refused), kBackupAlreadyRunning);
  BackupJob other = Running("c");
  other.set_store_id("other");
  EXPECT_TRUE(jobs.CreateBackupJob(context, other).ok());
  EXPECT_EQ(jobs.jobs().size(), 2u);
}

TEST(FakeJobStoreTest, ATerminalJobStaysAsItIs) {
  FakeJobStore jobs;
  const Context context = Context::Background();
  BackupJob job = Running("a");
  ASSERT_TRUE(jobs.CreateBackupJob(context, job).ok());
  job.set_status(BackupJob::FAILED);
  ASSERT_TRUE(jobs.UpdateBackupJob(context, job).ok());
  job.set_status(BackupJob::SUCCEEDED);
  EXPECT_EQ(jobs.UpdateBackupJob(context, job).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(jobs.job("a")->status(), BackupJob::FAILED);
}

TEST(FakeJobStoreTest, ACallOnAnEndedContextFails) {
  FakeJobStore jobs;
  auto [context, cancel] = Context::WithCancel(Context::Background());
  cancel(absl::CancelledError("over"));
  EXPECT_EQ(jobs.CreateBackupJob(context, Running("a")),
            absl::CancelledError("over"));
  EXPECT_TRUE(jobs.jobs().empty());
}

TEST(FakeJobStoreTest, TheSameRecordTwiceIsSuccessAndAnotherIsNot) {
  FakeJobStore jobs;
  BackupRecord record;
  record.set_id("a");
  const Context context = Context::Background();
  EXPECT_TRUE(jobs.CreateBackupRecord(context, record).ok());
  EXPECT_TRUE(jobs.CreateBackupRecord(context, record).ok());
  record.set_sha256("00");
  EXPECT_EQ(jobs.CreateBackupRecord(context, record).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST(FakeJobStoreTest, FailsAsOftenAsAskedBeforeOrAfterTheWork) {
  FakeJobStore jobs;
  const Context context = Context::Background();
  const absl::Status locked = absl::UnavailableError("locked");
  jobs.FailNext(Call::kCreateJob, locked);
  EXPECT_EQ(jobs.CreateBackupJob(context, Running("a")), locked);
  EXPECT_TRUE(jobs.jobs().empty());
  jobs.LoseNextAnswer(Call::kCreateJob, locked);
  EXPECT_EQ(jobs.CreateBackupJob(context, Running("a")), locked);
  EXPECT_EQ(jobs.jobs().size(), 1u);
  EXPECT_EQ(jobs.calls(Call::kCreateJob), 2);
}

}  // namespace
}  // namespace sluice
