#include "sluice/service/notify/notice_reader.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class NoticeReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/notice-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    sqlite_.path = folder + "/catalog.db";
    auto opened = OpenSqliteCatalog(context_, sqlite_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
    for (const char* name : {"disk", "tape"}) {
      BackupRepo repo;
      repo.set_id(name);
      repo.set_name(name);
      ASSERT_TRUE(catalog_->AddRepo(context_, repo).ok());
    }
    channels_.resize(1);
    channels_[0].name = "ops";
    channels_[0].webhook_url = "env:URL";
    options_.clock = &clock_;
    Restart();
    Step();
  }

  // As another process reads on.
  void Restart() {
    reader_ =
        std::make_unique<NoticeReader>(catalog_.get(), channels_, options_);
  }

  void Step() {
    while (true) {
      const absl::StatusOr<bool> more = reader_->Step(context_);
      ASSERT_TRUE(more.ok()) << more.status();
      if (!*more) return;
    }
  }
  void StepAfter(absl::Duration wait) {
    clock_.Advance(wait);
    Step();
  }

  void AddPlan(const std::string& name, const std::string& schedule = "",
               const std::string& heartbeat = "") {
    Plan plan;
    plan.set_id(name);
    plan.set_name(name);
    plan.set_revision(1);
    plan.set_created_at_ms(absl::ToUnixMillis(clock_.Now()));
    plan.mutable_spec()->set_source("memory:");
    plan.mutable_spec()->add_repos("disk");
    plan.mutable_spec()->add_repos("tape");
    plan.mutable_spec()->set_schedule(schedule);
    plan.mutable_spec()->set_heartbeat_url(heartbeat);
    std::vector<PlanTarget> targets(2);
    targets[0].plan_id = targets[1].plan_id = name;
    targets[0].repo_id = "disk";
    targets[1].repo_id = "tape";
    const absl::Status added =
        catalog_->plans().AddPlan(context_, plan, targets);
    ASSERT_TRUE(added.ok()) << added;
  }

  void Happens(const std::string& type, const std::string& plan,
               const std::string& repo, const std::string& word,
               const std::string& record = "") {
    CatalogEvent event;
    event.at = clock_.Now();
    event.type = type;
    event.plan_id = plan;
    event.repo_id = repo;
    event.job_id = "job";
    event.record_id = record;
    event.word = word;
    ASSERT_TRUE(catalog_->events().Append(context_, event).ok());
  }
  void Fails(const std::string& plan, const std::string& code,
             const std::string& repo = "disk") {
    Happens("schedule.failed", plan, repo, code);
  }
  void Succeeds(const std::string& plan, const std::string& repo = "disk") {
    Happens("job.finished", plan, repo, "succeeded", "record");
  }

  // What there is to send, oldest first, and then no more.
  std::vector<OutboxMessage> Take() {
    std::vector<OutboxMessage> messages =
        *catalog_->outbox().List(context_, 0, 1000);
    for (const OutboxMessage& message : messages) {
      EXPECT_TRUE(catalog_->outbox().Delivered(context_, message.id).ok());
    }
    std::reverse(messages.begin(), messages.end());
    return messages;
  }
  std::vector<std::string> TakeSubjects() {
    std::vector<std::string> subjects;
    for (const OutboxMessage& message : Take()) {
      subjects.push_back(message.subject);
    }
    return subjects;
  }

  const Context context_ = Context::Background();
  FakeClock clock_;
  SqliteCatalogOptions sqlite_;
  std::unique_ptr<Catalog> catalog_;
  std::vector<NotifyChannel> channels_;
  NoticeOptions options_;
  std::unique_ptr<NoticeReader> reader_;
};

TEST_F(NoticeReaderTest, TellsAFailureOnceHoweverOftenItHappens) {
  AddPlan("nightly");
  for (int i = 0; i < 100; ++i) {
    Fails("nightly", "source_unavailable");
    StepAfter(absl::Minutes(1));
  }
  EXPECT_THAT(TakeSubjects(), ElementsAre("nightly: backup into disk failed "
                                          "(source_unavailable)"));
  Succeeds("nightly");
  Step();
  EXPECT_THAT(TakeSubjects(),
              ElementsAre("nightly: backup into disk succeeds again"));
  Fails("nightly", "source_unavailable");
  StepAfter(absl::Minutes(1));
  EXPECT_THAT(TakeSubjects(), SizeIs(1));
}

TEST_F(NoticeReaderTest, OneDeadRepoWithAHundredPlansIsOneMessage) {
  for (int i = 0; i < 100; ++i) AddPlan(absl::StrCat("plan-", i));
  for (int i = 0; i < 40; ++i) {
    Fails(absl::StrCat("plan-", i), "destination_unreachable");
  }
  StepAfter(absl::Minutes(1));
  // The others come in the course of the day.
  for (int i = 40; i < 100; ++i) {
    Fails(absl::StrCat("plan-", i), "destination_io_error");
    StepAfter(absl::Minutes(10));
  }
  std::vector<OutboxMessage> messages = Take();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].subject,
            "40 plans: backup into disk failed (destination_unreachable)");
  const auto body = nlohmann::json::parse(messages[0].body);
  EXPECT_EQ(body["data"]["plan_count"], 40);
  EXPECT_THAT(body["data"]["plans"], SizeIs(kPlansNamed));
  EXPECT_EQ(body["type"], "backup.failed");

  StepAfter(absl::Hours(24));
  EXPECT_THAT(TakeSubjects(),
              ElementsAre("100 plans: backup into disk still fails"));

  for (int i = 0; i < 99; ++i) Succeeds(absl::StrCat("plan-", i));
  Step();
  EXPECT_THAT(TakeSubjects(), IsEmpty());
  Succeeds("plan-99");
  Step();
  EXPECT_THAT(TakeSubjects(),
              ElementsAre("100 plans: backup into disk succeeds again"));
  EXPECT_THAT(*catalog_->outbox().Notes(context_), IsEmpty());
}

TEST_F(NoticeReaderTest, WhatFailsTogetherForOneReasonIsToldTogether) {
  for (const char* plan : {"a", "b", "c"}) AddPlan(plan);
  Fails("a", "source_unavailable");
  Fails("b", "source_unavailable");
  Fails("c", "source_wrong_key");
  StepAfter(absl::Seconds(10));
  EXPECT_THAT(TakeSubjects(), IsEmpty());
  StepAfter(absl::Seconds(30));
  EXPECT_THAT(TakeSubjects(),
              ElementsAre("2 plans: backup into disk failed "
                          "(source_unavailable)",
                          "c: backup into disk failed (source_wrong_key)"));
}

TEST_F(NoticeReaderTest, AReminderComesOnceADay) {
  AddPlan("nightly");
  Fails("nightly", "source_failed");
  StepAfter(absl::Minutes(1));
  EXPECT_THAT(Take(), SizeIs(1));
  for (int hour = 0; hour < 72; ++hour) StepAfter(absl::Hours(1));
  const std::vector<OutboxMessage> messages = Take();
  ASSERT_THAT(messages, SizeIs(3));
  EXPECT_THAT(messages[0].subject, HasSubstr("still fails"));
  EXPECT_THAT(messages[0].body, HasSubstr("\"reminder\":true"));
}

TEST_F(NoticeReaderTest, AFailureThatWasMendedBeforeItWasToldIsNotTold) {
  AddPlan("nightly");
  Fails("nightly", "source_failed");
  Step();
  Succeeds("nightly");
  StepAfter(absl::Minutes(5));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(NoticeReaderTest, WhoReadsAfterACrashMissesAndDoublesNothing) {
  AddPlan("nightly");
  Fails("nightly", "source_failed");
  Step();  // noted, not told
  Restart();
  StepAfter(absl::Minutes(1));
  Restart();
  Step();
  EXPECT_THAT(Take(), SizeIs(1));
}

TEST_F(NoticeReaderTest, TwoProcessesTellOnce) {
  AddPlan("nightly");
  Step();
  auto other_catalog = OpenSqliteCatalog(context_, sqlite_);
  ASSERT_TRUE(other_catalog.ok());
  NoticeReader other(other_catalog->get(), channels_, options_);
  Fails("nightly", "source_failed");
  clock_.Advance(absl::Minutes(1));
  for (int i = 0; i < 10; ++i) {
    Step();
    ASSERT_TRUE(other.Step(context_).ok());
    clock_.Advance(absl::Hours(3));
  }
  EXPECT_THAT(Take(), SizeIs(2));  // and one reminder
}

TEST_F(NoticeReaderTest, WhatWasBeforeTheFirstStartIsNotTold) {
  EXPECT_TRUE(catalog_->outbox().Reading(context_)->begun);
  AddPlan("nightly");
  Fails("nightly", "source_failed");
  // A catalog that nobody read from before.
  std::string folder = absl::StrCat(::testing::TempDir(), "/fresh-XXXXXX");
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  SqliteCatalogOptions sqlite;
  sqlite.path = folder + "/catalog.db";
  auto fresh = OpenSqliteCatalog(context_, sqlite);
  ASSERT_TRUE(fresh.ok());
  CatalogEvent old;
  old.at = clock_.Now();
  old.type = "schedule.failed";
  old.plan_id = "nightly";
  ASSERT_TRUE((*fresh)->events().Append(context_, old).ok());
  NoticeReader reader(fresh->get(), channels_, options_);
  while (*reader.Step(context_)) {
  }
  clock_.Advance(absl::Hours(1));
  while (*reader.Step(context_)) {
  }
  EXPECT_THAT(*(*fresh)->outbox().List(context_, 0, 10), IsEmpty());
}

TEST_F(NoticeReaderTest, OverdueIsToldAndMendedOnce) {
  options_.overdue_every = absl::ZeroDuration();
  Restart();
  AddPlan("hourly", "0 * * * *");
  StepAfter(absl::Minutes(30));
  EXPECT_THAT(Take(), IsEmpty());
  for (int i = 0; i < 10; ++i) StepAfter(absl::Hours(1));
  EXPECT_THAT(TakeSubjects(), ElementsAre("hourly: backup is overdue"));
  Succeeds("hourly");
  Succeeds("hourly", "tape");
  Step();
  EXPECT_THAT(TakeSubjects(), ElementsAre("hourly: backup succeeds again"));
}

TEST_F(NoticeReaderTest, APausedOrRemovedPlanIsSilent) {
  options_.overdue_every = absl::ZeroDuration();
  Restart();
  AddPlan("hourly", "0 * * * *");
  AddPlan("gone");
  Fails("hourly", "source_failed");
  Fails("gone", "source_failed");
  StepAfter(absl::Minutes(1));
  EXPECT_THAT(Take(), SizeIs(1));
  Plan plan = *catalog_->plans().GetPlan(context_, "hourly");
  plan.set_paused(true);
  plan.set_revision(2);
  ASSERT_TRUE(
      catalog_->plans()
          .UpdatePlan(context_, plan,
                      *catalog_->plans().ListTargets(context_, "hourly"))
          .ok());
  ASSERT_TRUE(catalog_->plans().RemovePlan(context_, "gone").ok());
  for (int i = 0; i < 3; ++i) StepAfter(absl::Hours(24));
  EXPECT_THAT(TakeSubjects(), IsEmpty());
}

TEST_F(NoticeReaderTest, MissedTimesAreOneMessageADay) {
  AddPlan("a");
  AddPlan("b");
  for (int i = 0; i < 5; ++i) {
    Happens("schedule.missed", "a", "disk", "missed_too_old");
    Happens("schedule.missed", "b", "disk", "missed_too_old");
    // A later one runs in its place.
    Happens("schedule.missed", "b", "tape", "missed_superseded");
    StepAfter(absl::Minutes(1));
  }
  EXPECT_THAT(TakeSubjects(),
              ElementsAre("2 plans: a backup into disk was missed "
                          "(missed_too_old)"));
}

TEST_F(NoticeReaderTest, AHookThatFailsAfterEachBackupIsOneMessage) {
  AddPlan("nightly");
  for (int i = 0; i < 5; ++i) {
    Succeeds("nightly");
    Step();
    Happens("hook.failed", "nightly", "disk", "hook_failed");
    StepAfter(absl::Minutes(10));
  }
  EXPECT_THAT(TakeSubjects(),
              ElementsAre("nightly: backup into disk failed (hook_failed)"));
  Succeeds("nightly");
  Step();
  Succeeds("nightly");
  Step();
  EXPECT_THAT(TakeSubjects(), SizeIs(1));
}

TEST_F(NoticeReaderTest, AChannelGetsItsEventsOfItsPlans) {
  channels_[0].events = {"recovered"};
  channels_.push_back({"db", {}, {"db-*"}, "env:URL", {}, "", "", false});
  Restart();
  AddPlan("db-1");
  AddPlan("web");
  Fails("db-1", "source_failed");
  Fails("web", "source_failed");
  StepAfter(absl::Minutes(1));
  std::vector<OutboxMessage> messages = Take();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].channel, "db");
  EXPECT_THAT(messages[0].subject, HasSubstr("db-1"));
  EXPECT_THAT(messages[0].body, Not(HasSubstr("web")));
  Succeeds("db-1");
  Step();
  messages = Take();
  ASSERT_THAT(messages, SizeIs(2));
  // One event, whoever is told of it.
  EXPECT_EQ(nlohmann::json::parse(messages[0].body)["id"],
            nlohmann::json::parse(messages[1].body)["id"]);
}

// --- heartbeats

TEST_F(NoticeReaderTest, ASuccessIsASignOfLifeAndNothingElseIs) {
  AddPlan("nightly", "", "env:PING");
  AddPlan("silent");
  Happens("job.finished", "nightly", "disk", "failed");
  Happens("job.finished", "nightly", "disk", "interrupted");
  Happens("schedule.skipped", "nightly", "disk", "overlap");
  // A verification, or a pruning.
  Happens("job.finished", "nightly", "disk", "succeeded");
  Succeeds("silent");
  Step();
  EXPECT_THAT(Take(), IsEmpty());
  Succeeds("nightly");
  Step();
  Succeeds("nightly");
  Step();
  // Of those that wait the newest alone.
  const std::vector<OutboxMessage> messages = Take();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(PlanOfHeartbeat(messages[0].channel), "nightly");
}

TEST_F(NoticeReaderTest, APlanOfWhichOneRepoFailsGivesNoSignOfLife) {
  AddPlan("nightly", "", "env:PING");
  Fails("nightly", "destination_unreachable", "tape");
  Succeeds("nightly");
  Step();
  EXPECT_THAT(Take(), IsEmpty());
  Succeeds("nightly", "tape");
  Step();
  EXPECT_THAT(Take(), SizeIs(1));
}

TEST_F(NoticeReaderTest, ASuccessOfYesterdayIsNoSignOfLife) {
  AddPlan("nightly", "", "env:PING");
  Succeeds("nightly");
  StepAfter(absl::Hours(3));
  EXPECT_THAT(Take(), IsEmpty());
}

}  // namespace
}  // namespace sluice::service
