#include <stdlib.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;

class PlansTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/plans-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    options_.clock = &clock_;
    options_.heartbeat = false;
    Reopen();
    for (const char* id : {"r1", "r2"}) {
      BackupRepo repo;
      repo.set_id(id);
      repo.set_name(id);
      ASSERT_TRUE(catalog_->AddRepo(context_, repo).ok());
    }
  }

  void Reopen() {
    catalog_.reset();
    auto opened = OpenSqliteCatalog(context_, options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
  }

  PlanStore& plans() { return catalog_->plans(); }

  Plan PlanNamed(const std::string& name) {
    Plan plan;
    plan.set_id("id-" + name);
    plan.set_name(name);
    plan.set_revision(1);
    plan.set_created_at_ms(1);
    plan.set_updated_at_ms(2);
    plan.mutable_spec()->set_source("memory:?load=/data");
    plan.mutable_spec()->add_repos("r1");
    plan.mutable_spec()->set_catch_up_ms(0);
    (*plan.mutable_spec()->mutable_labels())["team"] = "\"a\"\n";
    return plan;
  }

  std::vector<PlanTarget> TargetsAt(absl::Time due) {
    PlanTarget target;
    target.repo_id = "r1";
    target.next_due = due;
    target.run_at = due + absl::Seconds(7);
    return {target};
  }

  void AddNightly() {
    ASSERT_TRUE(
        plans().AddPlan(context_, PlanNamed("nightly"), TargetsAt(kDue)).ok());
  }

  QueuedRun RunFor(const std::string& job_id) {
    QueuedRun run;
    run.job.set_id(job_id);
    run.job.set_kind(BackupJob::BACKUP);
    run.job.set_status(BackupJob::PENDING);
    run.job.set_stage("queued");
    run.job.set_plan_id("id-nightly");
    run.job.set_repo_id("r1");
    run.job.set_created_at_ms(absl::ToUnixMillis(clock_.Now()));
    run.request.set_job_id(job_id);
    run.request.set_plan_id("id-nightly");
    run.request.set_due_at_ms(absl::ToUnixMillis(kDue));
    run.request.set_attempt(1);
    return run;
  }

  Firing FiringAt(absl::Time due, Firing::Outcome outcome,
                  const std::string& reason = "") {
    Firing firing;
    firing.plan_id = "id-nightly";
    firing.repo_id = "r1";
    firing.due_at = due;
    firing.outcome = outcome;
    firing.reason = reason;
    firing.fired_at = clock_.Now();
    return firing;
  }

  FireStep StepFrom(absl::Time due, const std::string& job_id) {
    FireStep step;
    step.plan_id = "id-nightly";
    step.repo_id = "r1";
    step.expected_next_due = due;
    step.next_due = due + absl::Hours(24);
    step.run_at = step.next_due;
    step.run = FiringAt(due, Firing::Outcome::kOpen);
    step.run->job_id = job_id;
    step.run->attempts = 1;
    step.job = RunFor(job_id);
    step.now = clock_.Now();
    return step;
  }

  std::vector<std::string> FiringWords() {
    std::vector<std::string> words;
    const auto firings = plans().ListFirings(context_, {});
    EXPECT_TRUE(firings.ok()) << firings.status();
    if (!firings.ok()) return words;
    for (const Firing& firing : *firings) {
      words.push_back(absl::StrCat(OutcomeWord(firing.outcome), " ",
                                   firing.reason, " ", firing.job_id));
    }
    return words;
  }

  const absl::Time kDue = absl::FromUnixSeconds(1800000000);
  FakeClock clock_;
  Context context_ = Context::Background();
  SqliteCatalogOptions options_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(PlansTest, AreKeptAcrossReopening) {
  AddNightly();
  Reopen();
  const auto plan = plans().GetPlan(context_, "nightly");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->SerializeAsString(),
            PlanNamed("nightly").SerializeAsString());
  EXPECT_TRUE(plan->spec().has_catch_up_ms()) << "0 is not: not said";
  EXPECT_FALSE(plan->spec().has_jitter_ms());
  const auto targets = plans().ListTargets(context_, plan->id());
  ASSERT_EQ(targets->size(), 1u);
  EXPECT_EQ(targets->at(0).next_due, kDue);
  EXPECT_EQ(*plans().NextRunAt(context_), kDue + absl::Seconds(7));
}

TEST_F(PlansTest, AreRefusedWhereNameOrRepoIsWrong) {
  AddNightly();
  Plan twin = PlanNamed("nightly");
  twin.set_id("another");
  EXPECT_EQ(ErrorCodeOf(plans().AddPlan(context_, twin, {})), kNameTaken);
  EXPECT_EQ(ErrorCodeOf(plans().AddPlan(context_, PlanNamed("No"), {})),
            kInvalidArgument);
  std::vector<PlanTarget> nowhere = TargetsAt(kDue);
  nowhere[0].repo_id = "gone";
  EXPECT_EQ(ErrorCodeOf(plans().AddPlan(context_, PlanNamed("b"), nowhere)),
            kRepoNotFound);
  EXPECT_EQ(ErrorCodeOf(plans().GetPlan(context_, "b").status()), kPlanNotFound)
      << "nothing of a refused plan is kept";
}

TEST_F(PlansTest, TheSecondOfTwoChangesAtOnceIsRefused) {
  AddNightly();
  Plan changed = PlanNamed("nightly");
  changed.set_revision(2);
  changed.set_paused(true);
  ASSERT_TRUE(plans().UpdatePlan(context_, changed, {}).ok());
  EXPECT_EQ(*plans().NextRunAt(context_), absl::InfiniteFuture());
  EXPECT_EQ(ErrorCodeOf(plans().UpdatePlan(context_, changed, {})),
            kPlanChanged);
}

TEST_F(PlansTest, ADueTimeIsFiredOnceHoweverManyTry) {
  AddNightly();
  ASSERT_TRUE(
      plans().DueTargets(context_, kDue + absl::Seconds(6), 9)->empty());
  ASSERT_EQ(plans().DueTargets(context_, kDue + absl::Seconds(7), 9)->size(),
            1u);
  const auto first = plans().Fire(context_, StepFrom(kDue, "job-1"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(first->moved || first->overlapped || first->fired_before);
  const auto second = plans().Fire(context_, StepFrom(kDue, "job-2"));
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->moved);
  EXPECT_THAT(FiringWords(), ElementsAre("open  job-1"));
  EXPECT_EQ(plans().ListTargets(context_, "")->at(0).last_fired, kDue);
  EXPECT_EQ(catalog_->ListJobs(context_, {})->size(), 1u);
  EXPECT_EQ(catalog_->GetJob(context_, "job-1")->job.status(),
            BackupJob::PENDING);
}

// A clock that jumped back makes a due time due again.
TEST_F(PlansTest, ADueTimeThatHasItsFiringIsNotFiredAgain) {
  AddNightly();
  ASSERT_TRUE(plans().Fire(context_, StepFrom(kDue, "job-1")).ok());
  FireStep again = StepFrom(kDue, "job-2");
  again.expected_next_due = kDue + absl::Hours(24);
  const auto result = plans().Fire(context_, again);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->fired_before);
  EXPECT_THAT(FiringWords(), ElementsAre("open  job-1"));
}

TEST_F(PlansTest, WhatWasMissedUnderAWrongClockMayRun) {
  AddNightly();
  FireStep missed = StepFrom(kDue, "");
  missed.run.reset();
  missed.job.reset();
  missed.over = {FiringAt(kDue, Firing::Outcome::kMissed, "missed_too_old")};
  missed.next_due = kDue;
  ASSERT_TRUE(plans().Fire(context_, missed).ok());
  EXPECT_THAT(FiringWords(), ElementsAre("missed missed_too_old "));
  ASSERT_TRUE(plans().Fire(context_, StepFrom(kDue, "job-1")).ok());
  EXPECT_THAT(FiringWords(), ElementsAre("open  job-1"));
}

TEST_F(PlansTest, ARunThatMeetsItsOwnPlansIsRecordedAsSkipped) {
  AddNightly();
  ASSERT_TRUE(plans().Fire(context_, StepFrom(kDue, "job-1")).ok());
  FireStep second = StepFrom(kDue + absl::Hours(24), "job-2");
  second.now = kDue + absl::Hours(24);
  const auto next = plans().Fire(context_, second);
  ASSERT_TRUE(next.ok());
  EXPECT_TRUE(next->overlapped);
  EXPECT_THAT(FiringWords(),
              ElementsAre("open  job-1", "skipped overlap job-1"));
  EXPECT_EQ(ErrorCodeOf(catalog_->GetJob(context_, "job-2").status()),
            kJobNotFound);
}

TEST_F(PlansTest, ARunThatWaitsForALaterTimeIsInNobodysWay) {
  AddNightly();
  FireStep ahead = StepFrom(kDue, "job-1");
  ahead.next_due = kDue + absl::Hours(24);
  ASSERT_TRUE(plans().Fire(context_, ahead).ok());
  FireStep earlier = StepFrom(kDue - absl::Hours(24), "job-0");
  earlier.expected_next_due = ahead.next_due;
  earlier.next_due = kDue;
  earlier.now = kDue - absl::Hours(24);
  const auto fired = plans().Fire(context_, earlier);
  ASSERT_TRUE(fired.ok());
  EXPECT_FALSE(fired->overlapped);
  EXPECT_THAT(FiringWords(),
              ElementsAre("open  job-0", "missed clock_changed job-1"));
  EXPECT_EQ(catalog_->GetJob(context_, "job-1")->job.error_code(),
            kClockChanged);
}

TEST_F(PlansTest, MissedTimesThatAreTooManyToListAreCounted) {
  AddNightly();
  FireStep step = StepFrom(kDue, "");
  step.run.reset();
  step.job.reset();
  step.more_missed = 1000;
  step.more_reason = "missed_superseded";
  ASSERT_TRUE(plans().Fire(context_, step).ok());
  const auto totals = catalog_->events().Totals(context_);
  ASSERT_EQ(totals->size(), 1u);
  EXPECT_EQ(totals->at(0).metric, "missed");
  EXPECT_EQ(totals->at(0).label, "missed_superseded");
  EXPECT_EQ(totals->at(0).value, 1000);
}

TEST_F(PlansTest, AFiringWhoseJobEndedIsSettledOnce) {
  AddNightly();
  ASSERT_TRUE(plans().Fire(context_, StepFrom(kDue, "job-1")).ok());
  EXPECT_TRUE(plans().EndedFirings(context_, 9)->empty());
  ASSERT_TRUE(catalog_->RequestCancel(context_, "job-1").ok());
  const auto ended = plans().EndedFirings(context_, 9);
  ASSERT_EQ(ended->size(), 1u);
  EXPECT_EQ(ended->at(0).second.status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(ended->at(0).second.error_code(), kCancelled);

  SettleStep retry;
  retry.ended_job_id = "job-1";
  retry.firing = ended->at(0).first;
  retry.firing.job_id = "job-2";
  retry.firing.attempts = 2;
  retry.retry = RunFor("job-2");
  ASSERT_TRUE(plans().SettleFiring(context_, retry).ok());
  retry.firing.job_id = "job-3";
  retry.retry = RunFor("job-3");
  ASSERT_TRUE(plans().SettleFiring(context_, retry).ok()) << "somebody did";
  EXPECT_THAT(FiringWords(), ElementsAre("open  job-2"));
  EXPECT_FALSE(catalog_->GetJob(context_, "job-3").ok());
}

TEST_F(PlansTest, ARemovedPlanTakesItsPendingRunsWithItAndLeavesItsHistory) {
  AddNightly();
  ASSERT_TRUE(plans().Fire(context_, StepFrom(kDue, "job-1")).ok());
  ASSERT_TRUE(plans().RemovePlan(context_, "nightly").ok());
  EXPECT_EQ(catalog_->GetJob(context_, "job-1")->job.error_code(),
            kPlanRemoved);
  EXPECT_THAT(FiringWords(), ElementsAre("interrupted plan_removed job-1"));
  EXPECT_EQ(*plans().NextRunAt(context_), absl::InfiniteFuture());
  EXPECT_TRUE(catalog_->events().Totals(context_)->empty())
      << "a metric of a plan that is gone vanishes";
  EXPECT_EQ(*plans().DeleteFirings(context_, kDue + absl::Seconds(1)), 1u);
}

TEST_F(PlansTest, HistoryIsListedByPlanRepoAndTime) {
  AddNightly();
  FireStep step = StepFrom(kDue, "job-1");
  for (int i = 1; i <= 5; ++i) {
    step.over.push_back(FiringAt(kDue - absl::Hours(i),
                                 Firing::Outcome::kMissed, "missed_too_old"));
  }
  ASSERT_TRUE(plans().Fire(context_, step).ok());
  FiringFilter filter;
  filter.plan_id = "id-nightly";
  filter.repo_id = "r1";
  filter.from = kDue - absl::Hours(3);
  filter.until = kDue;
  EXPECT_EQ(plans().ListFirings(context_, filter)->size(), 3u);
  filter.limit = 2;
  EXPECT_EQ(plans().ListFirings(context_, filter)->at(0).due_at,
            kDue - absl::Hours(2))
      << "the newest two, oldest first";
  filter.repo_id = "r2";
  EXPECT_TRUE(plans().ListFirings(context_, filter)->empty());
}

TEST_F(PlansTest, EveryChangeIsAnEventInItsOrder) {
  AddNightly();
  ASSERT_TRUE(plans().Fire(context_, StepFrom(kDue, "job-1")).ok());
  ASSERT_TRUE(catalog_->RequestCancel(context_, "job-1").ok());
  std::vector<std::string> types;
  const auto events = catalog_->events().Read(context_, 0, 100);
  for (const CatalogEvent& event : *events) {
    types.push_back(event.type);
  }
  EXPECT_THAT(types, ElementsAre("repo.added", "repo.added", "plan.created",
                                 "job.queued", "job.finished"));
  const auto bounds = catalog_->events().Bounds(context_);
  EXPECT_EQ(bounds->first, 1);
  EXPECT_EQ(bounds->last, 5);
  EXPECT_EQ(
      *catalog_->events().DeleteEvents(context_, clock_.Now() + absl::Hours(1)),
      5u);
  EXPECT_EQ(catalog_->events().Bounds(context_)->last, 5)
      << "a number is not given twice";
}

TEST_F(PlansTest, TokensAreFoundByTheirHashUntilTheyEnd) {
  AccessToken token;
  token.id = "01TOKEN";
  token.sha256 = std::string(64, 'a');
  token.role = "viewer";
  token.expires_at = clock_.Now() + absl::Hours(1);
  AccessStore& access = catalog_->access();
  ASSERT_TRUE(access.AddToken(context_, token).ok());
  EXPECT_FALSE(access.FindToken(context_, std::string(64, 'b'))->has_value());
  auto found = access.FindToken(context_, token.sha256);
  ASSERT_TRUE(found->has_value());
  EXPECT_TRUE((*found)->IsValidAt(clock_.Now()));
  EXPECT_FALSE((*found)->IsValidAt(clock_.Now() + absl::Hours(1)));
  ASSERT_TRUE(access.TouchToken(context_, token.id, clock_.Now()).ok());
  ASSERT_TRUE(access.RevokeToken(context_, "01tok", clock_.Now()).ok());
  ASSERT_TRUE(
      access.RevokeToken(context_, "01tok", clock_.Now() + absl::Hours(9))
          .ok());
  const auto tokens = access.ListTokens(context_);
  ASSERT_EQ(tokens->size(), 1u);
  EXPECT_FALSE(tokens->at(0).IsValidAt(clock_.Now()));
  EXPECT_EQ(ErrorCodeOf(access.RevokeToken(context_, "02", clock_.Now())),
            kTokenNotFound);
}

TEST_F(PlansTest, TheAuditListGoesBackPageByPage) {
  AccessStore& access = catalog_->access();
  for (const char* action : {"one", "two", "three"}) {
    ASSERT_TRUE(access
                    .AddAudit(context_, {0, clock_.Now(), "uid 0", action,
                                         "plan nightly", "ok"})
                    .ok());
  }
  const auto page = access.ListAudit(context_, 0, 2);
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ(page->at(0).action, "three");
  const auto rest = access.ListAudit(context_, page->at(1).id, 2);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ(rest->at(0).action, "one");
}

}  // namespace
}  // namespace sluice
