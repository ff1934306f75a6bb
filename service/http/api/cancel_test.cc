// A cancel through the API, at each stage that a run can hang in.

#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/sdk/factory.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/http/api/testing/api_house.h"

namespace sluice::service {
namespace {

// Where a run of the store below waits, and who has come there.
class Stops {
 public:
  // Waits, if `at` is where to: until the run is cancelled, or, deaf, let go.
  void Pass(const std::string& at, const sdk::Run& run) {
    MutexLock lock(mutex_);
    if (at_ != at) return;
    arrived_ = true;
    changed_.NotifyAll();
    while (at_ == at && (is_deaf_ || !run.cancelled())) {
      Clock::Real()->WaitFor(changed_, lock, absl::Milliseconds(1));
    }
  }
  void Set(const std::string& at, bool is_deaf = false) {
    MutexLock lock(mutex_);
    at_ = at;
    is_deaf_ = is_deaf;
    arrived_ = false;
    changed_.NotifyAll();
  }
  void AwaitArrival() {
    MutexLock lock(mutex_);
    while (!arrived_) changed_.Wait(lock);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::string at_ ABSL_GUARDED_BY(mutex_);
  bool is_deaf_ ABSL_GUARDED_BY(mutex_) = false;
  bool arrived_ ABSL_GUARDED_BY(mutex_) = false;
};

Stops& TheStops() {
  static auto& stops = *new Stops;
  return stops;
}

class StoppingSource final : public sdk::Source {
 public:
  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    TheStops().Pass("describe", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    return sdk::SourceInfo{"", true, false};
  }
  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest&,
                      sdk::Sink& sink) override {
    TheStops().Pass("begin", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_RETURN_IF_ERROR(sink.Write("bytes"));
    TheStops().Pass("stream", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_RETURN_IF_ERROR(sink.End({{"rows", 1}}));
    TheStops().Pass("end", run);
    return run.status();
  }
  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    TheStops().Pass("restore begin", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    for (sdk::Payload* payload : request.payloads()) {
      while (true) {
        SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes, payload->Next());
        TheStops().Pass("restore stream", run);
        SLUICE_RETURN_IF_ERROR(run.status());
        if (bytes.empty()) break;
      }
    }
    TheStops().Pass("restore end", run);
    return run.status();
  }
};

absl::StatusOr<std::unique_ptr<sdk::Source>> CreateStopping(
    const sdk::Host&, const sdk::Options&) {
  return std::make_unique<StoppingSource>();
}

constexpr sluice_option_spec kOptions[] = {
    sdk::Option("path", SLUICE_OPTION_STRING, 0, "", "unused")};
constinit const sluice_factory kStopping =
    sdk::SourceFactory<&CreateStopping>("stopping", "Stops.", kOptions);
constexpr const sluice_factory* kFactories[] = {&kStopping};
constexpr sluice_plugin_entry kPlugin =
    sdk::PluginEntry("stopping", "1", "MIT", kFactories);

class CancelTest : public ::testing::Test {
 protected:
  CancelTest() {
    TheStops().Set("");
    EXPECT_TRUE(house_.house.host().RegisterStatic(&kPlugin).ok());
    ServiceOptions options;
    options.workers = 1;
    options.poll = absl::Milliseconds(5);
    options.runner.owner = "test/1";
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
  std::string BackUp() {
    return Ask("/api/v1/backups",
               {{"source", "stopping:?path=a"}, {"repo", "disk"}});
  }
  nlohmann::json Row(const std::string& job) {
    return JsonOf(house_.Ask("local", "GET", "/api/v1/jobs/" + job));
  }
  int Cancel(const std::string& job) {
    return house_.Ask("local", "POST", "/api/v1/jobs/" + job + "/cancel")
        .status;
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
    std::cout << "cancelled at " << stage << ": "
              << Clock::Real()->SinceBoot() - began << "\n";
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
    const std::string job =
        Ask("/api/v1/restores",
            {{"backup_id", id}, {"target", "stopping:?path=b"}});
    TheStops().AwaitArrival();
    ExpectCancelled(job, stage);
  }
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
