#include "sluice/service/notify/notifier.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/mutex.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"

namespace sluice::service {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Over a real catalog, and a real server that answers what it is told to.
class NotifierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/notifier-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    SqliteCatalogOptions sqlite;
    sqlite.path = folder + "/catalog.db";
    auto opened = OpenSqliteCatalog(context_, sqlite);
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
    server_ =
        http::MustStart(http::LocalOptions(), [this](http::Request& request) {
          MutexLock lock(mutex_);
          ids_.emplace_back(
              request.headers.Find("webhook-id").value_or("ping"));
          const int status = statuses_.empty() ? 200 : statuses_.front();
          if (!statuses_.empty()) statuses_.erase(statuses_.begin());
          return http::TextResponse(status, "text/plain", "");
        });
    options_.channels.resize(1);
    options_.channels[0].name = "ops";
    options_.channels[0].webhook_url = Url();
    options_.poll = absl::Milliseconds(10);
    options_.backoff = absl::Milliseconds(20);
    options_.notices.group_wait = absl::ZeroDuration();
  }

  std::string Url() const {
    return absl::StrCat("http://127.0.0.1:", server_->port(), "/");
  }
  void Start() {
    auto started = Notifier::Start(catalog_.get(), options_);
    ASSERT_TRUE(started.ok()) << started.status();
    notifier_ = *std::move(started);
  }
  void AddPlan(const std::string& heartbeat = "") {
    BackupRepo repo;
    repo.set_id("disk");
    repo.set_name("disk");
    ASSERT_TRUE(catalog_->AddRepo(context_, repo).ok());
    Plan plan;
    plan.set_id("nightly");
    plan.set_name("nightly");
    plan.set_revision(1);
    plan.mutable_spec()->set_source("memory:");
    plan.mutable_spec()->add_repos("disk");
    plan.mutable_spec()->set_heartbeat_url(heartbeat);
    std::vector<PlanTarget> targets(1);
    targets[0].plan_id = "nightly";
    targets[0].repo_id = "disk";
    ASSERT_TRUE(catalog_->plans().AddPlan(context_, plan, targets).ok());
  }
  void Happens(const std::string& type, const std::string& word,
               const std::string& record = "") {
    CatalogEvent event;
    event.at = absl::Now();
    event.type = type;
    event.plan_id = "nightly";
    event.repo_id = "disk";
    event.job_id = "job";
    event.record_id = record;
    event.word = word;
    ASSERT_TRUE(catalog_->events().Append(context_, event).ok());
  }
  void AnswerFirst(const std::vector<int>& statuses) {
    MutexLock lock(mutex_);
    statuses_ = statuses;
  }
  size_t received() {
    MutexLock lock(mutex_);
    return ids_.size();
  }
  std::vector<OutboxMessage> Outbox() {
    return *catalog_->outbox().List(context_, 0, 100);
  }

  const Context context_ = Context::Background();
  std::unique_ptr<Catalog> catalog_;
  Mutex mutex_;
  std::vector<int> statuses_;
  std::vector<std::string> ids_;
  std::unique_ptr<http::HttpServer> server_;
  NotifierOptions options_;
  std::unique_ptr<Notifier> notifier_;
};

TEST_F(NotifierTest,
       AFailureReachesTheReceiverUnderOneIdHoweverOftenItIsTried) {
  AnswerFirst({500, 503, 302});
  AddPlan();
  Start();
  Happens("schedule.failed", "source_failed");
  ASSERT_TRUE(http::Await([&] { return Outbox().empty() && received() == 4; }));
  EXPECT_THAT(ids_, Each(ids_[0]));
  EXPECT_THAT(ids_[0], SizeIs(26));
}

TEST_F(NotifierTest, WhoIsNeverTakenIsGivenUpShownAndRetried) {
  AnswerFirst({410, 410, 410});
  options_.attempts = 3;
  AddPlan();
  Start();
  Happens("schedule.failed", "source_failed");
  ASSERT_TRUE(http::Await([&] {
    return !Outbox().empty() &&
           Outbox()[0].next_attempt == absl::InfiniteFuture();
  }));
  const OutboxMessage dead = Outbox()[0];
  EXPECT_EQ(dead.attempts, 3u);
  EXPECT_THAT(dead.error, HasSubstr("answered 410"));
  ASSERT_TRUE(catalog_->outbox().Retry(context_, dead.id, absl::Now()).ok());
  EXPECT_TRUE(http::Await([&] { return Outbox().empty(); }));
  EXPECT_EQ(received(), 4u);
}

// Read, and not sent: the process was killed, and another goes on.
TEST_F(NotifierTest, WhatOneProcessLeftTheNextOneSends) {
  AddPlan();
  NoticeOptions notices = options_.notices;
  NoticeReader reader(catalog_.get(), options_.channels, notices);
  ASSERT_TRUE(reader.BeginIfNew(context_).ok());
  Happens("schedule.failed", "source_failed");
  while (*reader.Step(context_)) {
  }
  const OutboxMessage left = Outbox().at(0);
  // It had claimed it, too, but not noted that it was delivered.
  ASSERT_TRUE(*catalog_->outbox().Claim(context_, left,
                                        absl::Now() + absl::Milliseconds(50)));
  Start();
  EXPECT_TRUE(http::Await([&] { return Outbox().empty(); }));
  EXPECT_EQ(received(), 1u);
}

TEST_F(NotifierTest, AHeartbeatComesAfterASuccessAndNoFailure) {
  setenv("SLUICE_TEST_BEAT", Url().c_str(), 1);
  options_.channels.clear();
  AddPlan("env:SLUICE_TEST_BEAT");
  Start();
  Happens("schedule.failed", "source_failed");
  Happens("job.finished", "failed");
  Happens("job.finished", "succeeded", "record");
  ASSERT_TRUE(http::Await([&] { return received() > 0 && Outbox().empty(); }));
  EXPECT_EQ(received(), 1u);
}

TEST_F(NotifierTest, ADeadReceiverIsNotInTheWayOfAnother) {
  AddPlan();
  NotifyChannel dead = options_.channels[0];
  dead.name = "dead";
  dead.webhook_url = "http://127.0.0.1:1/";
  options_.channels.insert(options_.channels.begin(), dead);
  Start();
  Happens("schedule.failed", "source_failed");
  EXPECT_TRUE(http::Await([&] { return received() == 1; }));
  ASSERT_TRUE(http::Await(
      [&] { return Outbox().size() == 1 && !Outbox()[0].error.empty(); }));
  EXPECT_EQ(Outbox()[0].channel, "dead");
}

TEST_F(NotifierTest, AProgramThatHangsHoldsNoStop) {
  AddPlan();
  const http::TestFolder folder;
  options_.channels[0].webhook_url.clear();
  options_.channels[0].exec = {
      "/bin/sh", "-c",
      absl::StrCat("touch ", folder.File("begun"), "; sleep 600")};
  Start();
  Happens("schedule.failed", "source_failed");
  const std::string begun = folder.File("begun");
  ASSERT_TRUE(http::Await([&] { return access(begun.c_str(), F_OK) == 0; }));
  notifier_.reset();
  // The next service sends it at once.
  ASSERT_THAT(Outbox(), SizeIs(1));
  EXPECT_LE(Outbox()[0].next_attempt, absl::Now());
}

}  // namespace
}  // namespace sluice::service
