// In earnest: services over one catalog, killed at any moment. SLUICE_KILLS=N
// says how often, SLUICE_KILL_SEED=N repeats what was drawn; when a kill hits
// is the machine's.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/testing/environment.h"
#include "sluice/base/testing/memory_folder.h"
#include "sluice/base/testing/test_program.h"
#include "sluice/catalog/reconcile.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/service/engine/kill/ledger.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/repo_view.h"
#include "sluice/service/testing/test_house.h"
#include "sluice/service/work/prune.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kWorker[] = "service/engine/kill/kill_worker";
constexpr int kPlans = 50;
constexpr absl::Duration kPatience = absl::Minutes(5);

class KillTest : public ::testing::Test {
 protected:
  ~KillTest() override {
    (void)!system(absl::StrCat("rm -rf ", house_.folder()).c_str());
  }

  void AddPlans() {
    for (int i = 0; i < kPlans; ++i) {
      const std::string data = absl::StrCat(house_.folder(), "/data-", i);
      mkdir(data.c_str(), 0755);
      std::ofstream(data + "/a") << i << "\n";
      Plan plan = house_.HourlyPlan("memory:?load=" + data);
      plan.set_id(absl::StrCat("plan-", i));
      plan.set_name(plan.id());
      PlanSpec& spec = *plan.mutable_spec();
      spec.set_schedule("@every 1s");
      spec.set_attempts(3);
      // Of some, so that a removal is cut short too.
      if (i < 5) spec.mutable_retention()->set_keep_last(2);
      ASSERT_TRUE(house_.catalog()
                      .plans()
                      .AddPlan(house_.context(), plan, TargetsOfNow(plan))
                      .ok());
      plans_.push_back(plan);
    }
  }

  // No time is due any more; what was goes on.
  void EndSchedules() {
    for (Plan plan : plans_) {
      plan.mutable_spec()->set_schedule("@every 8784h");
      plan.set_revision(2);
      ASSERT_TRUE(house_.catalog()
                      .plans()
                      .UpdatePlan(house_.context(), plan, TargetsOfNow(plan))
                      .ok());
    }
  }

  static std::vector<PlanTarget> TargetsOfNow(const Plan& plan) {
    return TargetsOf(plan, *RulesOf(plan), absl::Now());
  }

  std::set<std::string> RunningJobs() {
    CatalogFilter filter;
    filter.status = BackupJob::RUNNING;
    std::set<std::string> ids;
    const auto jobs = house_.catalog().ListJobs(house_.context(), filter);
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    for (const CatalogJob& job : *jobs) ids.insert(job.job.id());
    return ids;
  }

  bool HasEndedAll(const std::set<std::string>& jobs) {
    for (const std::string& id : jobs) {
      const auto job = house_.catalog().GetJob(house_.context(), id);
      EXPECT_TRUE(job.ok()) << job.status();
      if (!IsTerminal(job->job)) return false;
    }
    return true;
  }

  bool IsQuiet() {
    CatalogFilter filter;
    filter.unfinished_only = true;
    const auto jobs = house_.catalog().ListJobs(house_.context(), filter);
    const auto ended =
        house_.catalog().plans().EndedFirings(house_.context(), 1);
    EXPECT_TRUE(jobs.ok() && ended.ok());
    return jobs->empty() && ended->empty();
  }

  template <typename Condition>
  void Await(TestProgram& service, Condition condition) {
    const absl::Duration end = Clock::Real()->SinceBoot() + kPatience;
    while (!condition()) {
      ASSERT_LT(Clock::Real()->SinceBoot(), end);
      if (service.CanHear(absl::Milliseconds(20))) {
        ASSERT_NE(service.Hear(), "") << "it is gone";
      }
    }
  }

  // Lines that a service says before it is killed, and a moment more.
  void LetItWork(TestProgram& service) {
    for (uint64_t lines = random_() % 16; lines > 0; --lines) {
      ASSERT_NE(service.Hear(), "") << "it is gone";
    }
    for (uint64_t spin = random_() % 3000000; spin > 0; --spin)
      asm volatile("" : : "r"(spin));
  }

  void ExpectNobodyRuns() {
    for (const std::string& id : RunningJobs()) {
      const auto job = house_.catalog().GetJob(house_.context(), id);
      EXPECT_FALSE(job->live) << id;
    }
  }

  int64_t Query(const std::string& sql) {
    SqliteOptions options;
    options.path = house_.folder() + "/catalog.db";
    auto database = SqliteDatabase::Open(options);
    EXPECT_TRUE(database.ok());
    const auto answer = (*database)->Get<int64_t>(
        house_.context(), [&](SqliteConnection& connection) {
          return connection.QueryInteger(sql);
        });
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(-1);
  }

  void ExpectRepoAndCatalogAgree() {
    const OpenedRepo repo = house_.OpenRepoAgain();
    // What a kill broke off between an archive and its record.
    const auto pruned =
        PruneRepo(house_.context(), house_.catalog(), repo, PruneOptions());
    ASSERT_TRUE(pruned.ok()) << pruned.status();
    EXPECT_TRUE(pruned->problem.ok()) << pruned->problem;
    RepoView view(repo.destination);
    ReconcileOptions options;
    options.verify = true;
    const auto report =
        Reconcile(house_.context(), house_.catalog(), repo.row, view, options);
    ASSERT_TRUE(report.ok()) << report.status();
    for (const ReconcileFinding& finding : report->findings) {
      ADD_FAILURE() << WordOf(finding.kind) << ": " << finding.message;
    }
    EXPECT_EQ(Query("SELECT count(*) FROM jobs WHERE status = 'succeeded' AND "
                    "plan_id > 'plan-5' AND record_id NOT IN (SELECT id FROM "
                    "records)"),
              0);
    EXPECT_EQ(Query("SELECT count(*) FROM leases"), 0);
    EXPECT_EQ(Query("SELECT count(*) FROM pragma_integrity_check WHERE "
                    "integrity_check <> 'ok'"),
              0);
  }

  const uint64_t seed_ =
      NumberFromEnvironment("SLUICE_KILL_SEED", std::random_device()());
  std::mt19937_64 random_{seed_};
  TestHouse house_{MakeMemoryFolder("sluice-kill")};
  std::vector<Plan> plans_;
};

TEST_F(KillTest, NothingIsLostOrDoubledHoweverOftenAServiceIsKilled) {
  const uint64_t kills =
      IsSlowBuild() ? 3 : NumberFromEnvironment("SLUICE_KILLS", 15);
  std::cout << "SLUICE_KILL_SEED=" << seed_ << ", " << kills << " kills"
            << std::endl;
  AddPlans();
  std::set<std::string> dead;
  for (uint64_t i = 0; i < kills && !HasFailure(); ++i) {
    TestProgram service({kWorker, "serve", house_.folder()});
    if (i % 3 == 2) Await(service, [&] { return HasEndedAll(dead); });
    LetItWork(service);
    service.Signal(SIGKILL);
    service.Reap();
    ExpectNobodyRuns();
    dead = RunningJobs();
  }
  ASSERT_FALSE(HasFailure());
  EndSchedules();
  TestProgram service({kWorker, "serve", house_.folder()});
  Await(service, [&] { return IsQuiet(); });
  service.Hush();
  const int status = service.Reap();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;

  const Ledger ledger = Audit(house_.catalog(), plans_, absl::Seconds(1));
  std::cout << absl::StrCat(ledger.due, " due times: ", ledger.succeeded,
                            " succeeded, ", ledger.retried, " retried, ",
                            ledger.failed, " failed, ", ledger.skipped,
                            " skipped, ", ledger.missed, " missed, ",
                            ledger.counted, " counted")
            << std::endl;
  EXPECT_THAT(ledger.wrong, IsEmpty());
  EXPECT_GE(ledger.succeeded, int64_t(kills));
  if (kills >= 10) {
    EXPECT_GE(ledger.retried, 1);
  }
  ExpectRepoAndCatalogAgree();
}

}  // namespace
}  // namespace sluice::service
