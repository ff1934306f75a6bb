#include "sluice/service/engine/service.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/plan/plan_run.h"
#include "sluice/service/settings/machine.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

// A service over a real catalog, a folder as the store and one as the repo.
class ServiceTest : public ::testing::Test {
 protected:
  void Start() {
    ServiceOptions options;
    options.poll = absl::Milliseconds(20);
    options.runner.owner = "test/1";
    options.machine_id = machine_;
    options.on_problem = [this](absl::string_view what,
                                const absl::Status& status) {
      MutexLock lock(mutex_);
      problems_.push_back(absl::StrCat(what, ": ", status.ToString()));
    };
    options.on_job_ended = [this](const BackupJob& job,
                                  const absl::Status& status) {
      MutexLock lock(mutex_);
      ended_.push_back(status);
      changed_.NotifyAll();
    };
    auto service = Service::Start(&house_.catalog(), &house_.host(), options);
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
  }

  absl::Status AwaitEnd(size_t count = 1) {
    MutexLock lock(mutex_);
    while (ended_.size() < count) changed_.Wait(lock);
    return ended_[count - 1];
  }

  TestHouse house_;
  const Context& context_ = house_.context();
  Catalog& catalog_ = house_.catalog();
  Mutex mutex_;
  CondVar changed_;
  std::vector<absl::Status> ended_;
  std::vector<std::string> problems_;
  std::unique_ptr<Service> service_;
  std::string machine_;
};

TEST_F(ServiceTest, BacksUpWhatIsDue) {
  house_.AddAsDue(house_.HourlyPlan(house_.store_uri()));
  Start();
  const absl::Status ended = AwaitEnd();
  ASSERT_TRUE(ended.ok()) << ended;
  service_->Drain(absl::InfiniteDuration());
  const auto records = catalog_.ListRecords(context_, {});
  ASSERT_EQ(records->size(), 1u);
  EXPECT_EQ(records->at(0).plan_id(), "plan");
  const auto jobs = catalog_.ListJobs(context_, {});
  ASSERT_EQ(jobs->size(), 1u);
  EXPECT_EQ(jobs->at(0).job.status(), BackupJob::SUCCEEDED);
  EXPECT_EQ(jobs->at(0).job.record_id(), records->at(0).id());
  EXPECT_EQ(jobs->at(0).job.plan_id(), "plan");
  EXPECT_TRUE(problems_.empty()) << problems_[0];
}

TEST_F(ServiceTest, WhatCannotBeOpenedEndsAsFailedWithItsReason) {
  house_.AddAsDue(house_.HourlyPlan("memory:?load=/no/such/folder"));
  Start();
  EXPECT_FALSE(AwaitEnd().ok());
  service_->Drain(absl::InfiniteDuration());
  const auto jobs = catalog_.ListJobs(context_, {});
  ASSERT_EQ(jobs->size(), 1u);
  EXPECT_EQ(jobs->at(0).job.status(), BackupJob::FAILED);
  EXPECT_FALSE(jobs->at(0).job.error().empty());
  EXPECT_TRUE(catalog_.ListRecords(context_, {})->empty());
}

TEST_F(ServiceTest, ACopyOnAnotherMachineDoesNothingUntilItIsTakenOver) {
  ASSERT_TRUE(ClaimMachine(context_, catalog_, "first").ok());
  house_.AddAsDue(house_.HourlyPlan(house_.store_uri()));
  machine_ = "second";
  Start();
  EXPECT_EQ(ErrorCodeOf(service_->health()), kCatalogCloned);
  EXPECT_NE(HintOf(service_->health()).find("--take-over"), std::string::npos);
  EXPECT_FALSE(*NodePresence::AnyIsThere(context_, catalog_, *Clock::Real()));
  {
    MutexLock lock(mutex_);
    ASSERT_EQ(problems_.size(), 1u);
  }
  // What a run would leave is not there, and only a taking over brings it.
  EXPECT_TRUE(catalog_.ListJobs(context_, {})->empty());
  EXPECT_TRUE(catalog_.plans().ListFirings(context_, {})->empty());
  ASSERT_TRUE(
      TakeOverCatalog(context_, catalog_, "second", *Clock::Real()).ok());
  service_->Wake();
  EXPECT_TRUE(AwaitEnd().ok());
  EXPECT_TRUE(service_->health().ok());
  EXPECT_EQ(catalog_.ListJobs(context_, {})->size(), 1u);
}

TEST_F(ServiceTest, ACatalogThatIsTakenAwayIsLeftAlone) {
  machine_ = "first";
  Start();
  EXPECT_TRUE(service_->health().ok());
  const auto other = house_.OpenCatalogAgain();
  ASSERT_TRUE(TakeOverCatalog(context_, *other, "second", *Clock::Real()).ok());
  while (service_->health().ok()) service_->Wake();
  EXPECT_EQ(ErrorCodeOf(service_->health()), kCatalogCloned);
}

TEST_F(ServiceTest, ARequestOfAnotherProcessIsSeen) {
  Start();
  Plan plan = house_.HourlyPlan(house_.store_uri());
  const auto other = house_.OpenCatalogAgain();
  QueuedRun run =
      BackupRunOf(plan, house_.repo_id(), NewUlid(*Clock::Real()), absl::Now());
  run.job.clear_plan_id();
  run.request.clear_plan_id();
  ASSERT_TRUE(other->queue().Enqueue(context_, run).ok());
  const absl::Status ended = AwaitEnd();
  EXPECT_TRUE(ended.ok()) << ended;
}

TEST_F(ServiceTest, AfterADrainNothingIsBegun) {
  Start();
  service_->Drain(absl::ZeroDuration());
  house_.AddAsDue(house_.HourlyPlan(house_.store_uri()));
  service_->Wake();
  EXPECT_TRUE(catalog_.ListJobs(context_, {})->empty());
}

TEST_F(ServiceTest, IsSeenInTheCatalogUntilItDrains) {
  EXPECT_FALSE(*NodePresence::AnyIsThere(context_, catalog_, *Clock::Real()));
  Start();
  EXPECT_TRUE(*NodePresence::AnyIsThere(context_, catalog_, *Clock::Real()));
  EXPECT_EQ(catalog_.nodes().ListNodes(context_)->at(0).name, "test/1");
  service_->Drain(absl::ZeroDuration());
  EXPECT_TRUE(catalog_.nodes().ListNodes(context_)->empty());
  service_->Drain(absl::ZeroDuration());
}

TEST_F(ServiceTest, OneThatDiedIsNotTakenForThere) {
  CatalogNode node{"1", "host/1", false, absl::Now() - kNodePatience};
  ASSERT_TRUE(catalog_.nodes().Heartbeat(context_, node).ok());
  EXPECT_FALSE(*NodePresence::AnyIsThere(context_, catalog_, *Clock::Real()));
}

TEST_F(ServiceTest, RetentionFollowsABackupThatSucceeded) {
  Plan plan = house_.HourlyPlan(house_.store_uri());
  plan.mutable_spec()->mutable_retention()->set_keep_last(1);
  house_.AddAsDue(plan);
  Start();
  ASSERT_TRUE(AwaitEnd().ok());
  for (size_t i = 2; i <= 3; ++i) {
    ASSERT_TRUE(catalog_.queue()
                    .Enqueue(context_,
                             BackupRunOf(plan, house_.repo_id(),
                                         NewUlid(*Clock::Real()), absl::Now()))
                    .ok());
    service_->Wake();
    const absl::Status ended = AwaitEnd(i);
    ASSERT_TRUE(ended.ok()) << ended;
  }
  service_->Drain(absl::InfiniteDuration());
  EXPECT_EQ(catalog_.ListRecords(context_, {})->size(), 1u);
}

}  // namespace
}  // namespace sluice::service
