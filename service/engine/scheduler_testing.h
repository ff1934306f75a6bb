#ifndef SLUICE_SERVICE_ENGINE_SCHEDULER_TESTING_H_
#define SLUICE_SERVICE_ENGINE_SCHEDULER_TESTING_H_

// A scheduler over a catalog of its own, by a clock that the test sets.

#include <stdlib.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/service/engine/scheduler.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::service {

// An hourly plan with a jitter; it is 00:30 on the first of January 2027.
class SchedulerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/sched-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    options_.clock = &clock_;
    options_.heartbeat = false;
    auto opened = OpenSqliteCatalog(context_, options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
    BackupRepo repo;
    repo.set_id("repo");
    repo.set_name("repo");
    ASSERT_TRUE(catalog_->AddRepo(context_, repo).ok());
    clock_.SetNow(kBegin);
    plan_.set_id("plan");
    plan_.set_name("hourly");
    plan_.set_revision(1);
    plan_.set_created_at_ms(absl::ToUnixMillis(kBegin));
    plan_.mutable_spec()->set_source("memory:?load=/data");
    plan_.mutable_spec()->add_repos("repo");
    plan_.mutable_spec()->set_schedule("0 * * * *");
    plan_.mutable_spec()->set_jitter_ms(300000);
    scheduler_ = std::make_unique<Scheduler>(catalog_.get(), &clock_, random_);
  }

  void Add() {
    const auto rules = RulesOf(plan_);
    ASSERT_TRUE(rules.ok()) << rules.status();
    jitter_ = rules->due.jitter;
    ASSERT_GT(jitter_, absl::Seconds(1));
    ASSERT_TRUE(catalog_->plans()
                    .AddPlan(context_, plan_, TargetsOf(plan_, *rules, kBegin))
                    .ok());
    Step();
  }

  void Step() {
    const auto next = scheduler_->Step(context_);
    ASSERT_TRUE(next.ok()) << next.status();
  }

  void SetClock(int hour, int minute) {
    clock_.SetNow(kBegin + absl::Hours(hour) + absl::Minutes(minute - 30));
    Step();
  }

  // When the run of that hour is to begin.
  void SetClockToRunOf(int hour) {
    clock_.SetNow(kBegin - absl::Minutes(30) + absl::Hours(hour) + jitter_);
    Step();
  }

  // Claims and ends the job whose turn it is; its error, "" for success.
  bool RunOne(const std::string& error = "") {
    const auto run = catalog_->queue().Claim(context_, {clock_.Now(), 0});
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok() || !run->has_value()) return false;
    BackupJob job = (*run)->job;
    job.set_status(error.empty() ? BackupJob::SUCCEEDED : BackupJob::FAILED);
    job.set_error_code(error);
    job.set_finished_at_ms(absl::ToUnixMillis(clock_.Now()));
    EXPECT_TRUE(catalog_->UpdateBackupJob(context_, job).ok());
    return true;
  }

  std::vector<std::string> Rows() {
    std::vector<std::string> rows;
    const auto firings = catalog_->plans().ListFirings(context_, {});
    EXPECT_TRUE(firings.ok()) << firings.status();
    for (const Firing& firing : *firings) {
      rows.push_back(absl::StrCat(
          absl::FormatTime("%dT%H", firing.due_at, absl::UTCTimeZone()), " ",
          OutcomeWord(firing.outcome), firing.reason.empty() ? "" : " ",
          firing.reason));
    }
    return rows;
  }

  const absl::Time kBegin = absl::FromCivil(
      absl::CivilMinute(2027, 1, 1, 0, 30), absl::UTCTimeZone());
  FakeClock clock_;
  Context context_ = Context::Background();
  SqliteCatalogOptions options_;
  std::unique_ptr<Catalog> catalog_;
  std::mt19937_64 random_{1};
  Plan plan_;
  absl::Duration jitter_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SCHEDULER_TESTING_H_
