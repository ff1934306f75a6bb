// A cancel through the API, at each stage that a run can hang in.

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/http/api/testing/api_house.h"
#include "sluice/service/http/api/testing/stopping_plugin.h"

namespace sluice::service {
namespace {

using ::testing::IsEmpty;

class CancelTest : public ::testing::Test {
 protected:
  CancelTest() {
    TheStops().Set("");
    EXPECT_TRUE(house_.house.host().RegisterStatic(&kStoppingPlugin).ok());
    ServiceOptions options;
    options.workers = 1;
    options.poll = absl::Milliseconds(5);
    options.runner.owner = "test/1";
    options.runner.on_ending = [this](const BackupJob& job,
                                      const absl::Status&) {
      MutexLock lock(mutex_);
      ending_ = job.id();
      changed_.NotifyAll();
    };
    options.on_job_ended = [this](const BackupJob& job, const absl::Status&) {
      MutexLock lock(mutex_);
      ended_ = job.id();
      changed_.NotifyAll();
    };
    service_ =
        *Service::Start(&house_.house.catalog(), &house_.house.host(), options);
    house_.api->SetService(service_.get());
    // Never due: it runs when it is asked to.
    const Plan plan = house_.house.HourlyPlan(house_.house.store_uri());
    PlanTarget target;
    target.repo_id = house_.house.repo_id();
    EXPECT_TRUE(house_.house.catalog()
                    .plans()
                    .AddPlan(house_.house.context(), plan, {target})
                    .ok());
  }
  ~CancelTest() override {
    TheStops().Set("");
    service_->Drain(absl::ZeroDuration());
    house_.api->SetService(nullptr);
  }

  std::string Ask(absl::string_view target, const nlohmann::json& body) {
    const http::Response response =
        house_.Ask("local", "POST", target, body.dump());
    EXPECT_EQ(response.status, 202) << response.body;
    return JsonOf(response)["job"]["id"];
  }
  std::string BackUp(const std::string& repo = "disk", bool read_back = false) {
    return Ask("/api/v1/backups", {{"source", "stopping:?path=a"},
                                   {"repo", repo},
                                   {"read_back", read_back}});
  }
  std::string Restore(const std::string& id) {
    return Ask("/api/v1/restores",
               {{"backup_id", id}, {"target", "stopping:?path=b"}});
  }
  // A repo called "stopping", in a place that stops.
  void AddStoppingRepo() {
    const Context& context = house_.house.context();
    ASSERT_TRUE(std::filesystem::create_directory(folder_));
    BackupRepo repo;
    repo.set_name("stopping");
    repo.set_kind("stopdisk");
    repo.set_config("stopdisk:" + folder_);
    const auto place = house_.house.host().OpenPlace(repo.config());
    ASSERT_TRUE(place.ok()) << place.status();
    RepoInfo info;
    info.id = NewUlid(*Clock::Real());
    info.created_at = "2026-01-01T00:00:00Z";
    ASSERT_TRUE(InitRepo(context, **place, info).ok());
    repo.set_id(info.id);
    ASSERT_TRUE(house_.house.catalog().AddRepo(context, repo).ok());
  }
  // What that folder holds of archives, finished or not.
  std::vector<std::string> FilesOfArchives() {
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_)) {
      const std::string path = entry.path().string();
      if (entry.is_regular_file() &&
          entry.path().filename() != "sluice-repo.json") {
        files.push_back(path.substr(folder_.size() + 1));
      }
    }
    return files;
  }
  nlohmann::json Row(const std::string& job) {
    return JsonOf(house_.Ask("local", "GET", "/api/v1/jobs/" + job));
  }
  int Cancel(const std::string& job) {
    return house_.Ask("local", "POST", "/api/v1/jobs/" + job + "/cancel")
        .status;
  }
  // Until the run itself has heard of the cancel.
  void AwaitHeard(const std::string& job) {
    MutexLock lock(mutex_);
    while (ending_ != job) changed_.Wait(lock);
  }
  void AwaitEnd(const std::string& job) {
    MutexLock lock(mutex_);
    while (ended_ != job) changed_.Wait(lock);
  }

  // Of a job that has come to where it stops: until its last row is there.
  void ExpectCancelled(const std::string& job, absl::string_view stage) {
    const absl::Duration began = Clock::Real()->SinceBoot();
    EXPECT_EQ(Cancel(job), 202) << stage;
    AwaitEnd(job);
    const absl::Duration took = Clock::Real()->SinceBoot() - began;
    std::cout << "cancelled at " << stage << ": " << took << "\n";
    // Two seconds, on a machine that has time; a deadline of a minute is none.
    EXPECT_LT(took, absl::Seconds(30)) << stage;
    const nlohmann::json row = Row(job);
    EXPECT_EQ(row["status"], "interrupted") << stage << row;
    EXPECT_EQ(row["error_code"], "cancelled") << stage << row;
    EXPECT_FALSE(row["finished_at"].is_null()) << stage;
    // It is over: there is nothing to cancel, and the worker is free.
    EXPECT_EQ(Cancel(job), 200) << stage;
  }

  ApiHouse house_;
  Mutex mutex_;
  CondVar changed_;
  const std::string folder_ = house_.house.folder() + "/stopping";
  std::string ending_ ABSL_GUARDED_BY(mutex_);
  std::string ended_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Service> service_;
};

TEST_F(CancelTest, ABackupEndsAtEachStageWithItsLastRowAndNoArchive) {
  for (const char* stage : {"describe", "begin", "stream", "end"}) {
    TheStops().Set(stage);
    const std::string job = BackUp();
    TheStops().AwaitArrival();
    ExpectCancelled(job, stage);
  }
  TheStops().Set("");
  const auto records =
      house_.house.catalog().ListRecords(house_.house.context(), {});
  ASSERT_TRUE(records.ok());
  for (const BackupRecord& record : *records) {
    EXPECT_NE(record.store_kind(), "stopping") << record.DebugString();
  }
  // Nothing is left that keeps the next one away.
  const std::string job = BackUp();
  AwaitEnd(job);
  EXPECT_EQ(Row(job)["status"], "succeeded") << Row(job);
}

TEST_F(CancelTest, ARestoreEndsAtEachStageWithItsLastRow) {
  const std::string made = BackUp();
  AwaitEnd(made);
  const std::string id = Row(made)["record_id"];
  for (const char* stage :
       {"describe", "restore begin", "restore stream", "restore end"}) {
    TheStops().Set(stage);
    const std::string job = Restore(id);
    TheStops().AwaitArrival();
    ExpectCancelled(job, stage);
  }
}

// Before the manifest's commit a cancel wins, whatever the place is at.
TEST_F(CancelTest, ABackupEndsWhereverItsPlaceHangsAndLeavesNothingThere) {
  ASSERT_NO_FATAL_FAILURE(AddStoppingRepo());
  for (const char* stage :
       {"begin writer.json", "commit writer.json", "begin payload.bin",
        "write payload.bin", "commit payload.bin", "begin SHA256SUMS",
        "commit SHA256SUMS", "open payload.bin", "read payload.bin",
        "begin manifest.json", "write manifest.json"}) {
    TheStops().Set(stage);
    const std::string job = BackUp("stopping", /*read_back=*/true);
    TheStops().AwaitArrival();
    ExpectCancelled(job, stage);
    EXPECT_THAT(FilesOfArchives(), IsEmpty()) << stage;
    EXPECT_EQ(Row(job)["record_id"], "") << stage;
  }
  TheStops().Set("");
  const std::string job = BackUp("stopping");
  AwaitEnd(job);
  EXPECT_EQ(Row(job)["status"], "succeeded") << Row(job);
}

// The manifest's commit is the point of no return: from its begin on a cancel
// is answered, and the job ends as what has become of its archive.
TEST_F(CancelTest, ABackupThatIsBeingPublishedIsNotTakenBack) {
  ASSERT_NO_FATAL_FAILURE(AddStoppingRepo());
  for (const char* stage :
       {"commit manifest.json", "published, open manifest.json",
        "published, open SHA256SUMS", "published, delete writer.json"}) {
    SCOPED_TRACE(stage);
    TheStops().Set(stage, /*is_deaf=*/true);
    const std::string job = BackUp("stopping");
    TheStops().AwaitArrival();
    EXPECT_EQ(Row(job)["stage"], "publishing");
    EXPECT_EQ(Cancel(job), 202);
    AwaitHeard(job);
    EXPECT_EQ(Row(job)["status"], "running");
    EXPECT_EQ(Row(job)["cancel_requested"], true);
    TheStops().Set("");
    AwaitEnd(job);
    const nlohmann::json row = Row(job);
    EXPECT_EQ(row["status"], "succeeded") << row;
    EXPECT_EQ(row["error_code"], "") << row;
    EXPECT_EQ(Cancel(job), 200);
    // It is one: a restore reads all of it.
    const std::string restore = Restore(row["record_id"]);
    AwaitEnd(restore);
    EXPECT_EQ(Row(restore)["status"], "succeeded") << Row(restore);
  }
}

TEST_F(CancelTest, ARestoreEndsWhereverItsPlaceHangs) {
  ASSERT_NO_FATAL_FAILURE(AddStoppingRepo());
  const std::string made = BackUp("stopping");
  AwaitEnd(made);
  const std::string id = Row(made)["record_id"];
  for (const char* stage : {"open manifest.json", "read manifest.json",
                            "open payload.bin", "read payload.bin"}) {
    TheStops().Set(stage);
    const std::string job = Restore(id);
    TheStops().AwaitArrival();
    ExpectCancelled(job, stage);
  }
}

TEST_F(CancelTest, ARestoreThatIsMadeIsNotTakenBack) {
  const std::string made = BackUp();
  AwaitEnd(made);
  TheStops().Set("restore made");
  const std::string job = Restore(Row(made)["record_id"]);
  TheStops().AwaitArrival();
  EXPECT_EQ(Cancel(job), 202);
  AwaitEnd(job);
  EXPECT_EQ(Row(job)["status"], "succeeded") << Row(job);
  EXPECT_EQ(Row(job)["error_code"], "") << Row(job);
}

TEST_F(CancelTest, AStoreThatHearsNothingIsLeftBehind) {
  TheStops().Set("stream", /*is_deaf=*/true);
  const std::string job = BackUp();
  TheStops().AwaitArrival();
  ExpectCancelled(job, "deaf");
}

TEST_F(CancelTest, APendingJobEndsAtOnceThoughNoWorkerIsFree) {
  TheStops().Set("stream");
  const std::string running = BackUp();
  TheStops().AwaitArrival();
  const std::string pending =
      Ask("/api/v1/plans/hourly/run", nlohmann::json::object());
  EXPECT_EQ(Row(pending)["status"], "pending");
  EXPECT_EQ(Cancel(pending), 202);
  EXPECT_EQ(Row(pending)["status"], "interrupted");
  EXPECT_EQ(Row(running)["status"], "running");
  ExpectCancelled(running, "stream");
}

TEST_F(CancelTest, ADrainLeavesWhatIsPendingAndEndsWhatRuns) {
  TheStops().Set("stream");
  const std::string running = BackUp();
  TheStops().AwaitArrival();
  const std::string pending =
      Ask("/api/v1/plans/hourly/run", nlohmann::json::object());
  house_.api->BeginDrain();
  EXPECT_EQ(house_.Ask("", "GET", "/readyz").status, 503);
  service_->Drain(absl::ZeroDuration());
  EXPECT_EQ(Row(running)["status"], "interrupted");
  EXPECT_EQ(Row(running)["error_code"], "shutdown");
  EXPECT_EQ(Row(pending)["status"], "pending");
}

}  // namespace
}  // namespace sluice::service
