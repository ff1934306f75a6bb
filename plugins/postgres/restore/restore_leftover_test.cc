// What holds a database that a restore gave up, and what becomes of it.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/postgres_source.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/test_payload.h"
#include "sluice/plugins/postgres/testing/test_restore.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

TestServer& PreparingServer() {
  static TestServer server({.settings = {"max_prepared_transactions = 5"}});
  return server;
}

// A database that subscribes; the publisher's slot is another's by now.
const TestPayload& Subscriber() {
  static const TestPayload* const kPayload = [] {
    const std::string publisher = PreparingServer().CreateDatabase();
    PreparingServer().Exec(
        publisher,
        "SELECT pg_create_logical_replication_slot('its_slot',"
        " 'pgoutput')");
    const std::string source = PreparingServer().CreateDatabase();
    PreparingServer().Psql(
        source,
        absl::StrCat("CREATE TABLE t AS SELECT 1 AS a;"
                     "CREATE SUBSCRIPTION \"Sub '1'\" CONNECTION 'host=",
                     PreparingServer().folder(),
                     " port=", PreparingServer().port(),
                     " user=postgres dbname=", publisher,
                     "' PUBLICATION p WITH (connect = false,"
                     " slot_name = 'its_slot');"));
    return new TestPayload(
        MakeTestPayload(PreparingServer(), source, CopyFormat::kText));
  }();
  return *kPayload;
}

std::string StagingOf(const std::string& target) {
  return absl::StrCat(
      "sluice-restore-",
      PreparingServer().Query("template1",
                              absl::StrCat("SELECT oid FROM pg_database"
                                           " WHERE datname = '",
                                           target, "'")),
      "-new");
}

// Whatever else can hold a database.
void Hold(const std::string& database) {
  PreparingServer().Exec(database,
                         "SELECT pg_create_logical_replication_slot('held',"
                         " 'pgoutput')");
  PreparingServer().Exec(
      database, "BEGIN; CREATE TABLE p (); PREPARE TRANSACTION 'it''s'");
}

bool SlotIsThere() {
  return PreparingServer().Query(
             "postgres",
             "SELECT count(*) FROM pg_replication_slots WHERE"
             " slot_name = 'its_slot'") == "1";
}

TEST(RestoreLeftoverTest, WhateverHoldsTheDatabaseOfAFailedRestoreGoesFirst) {
  const std::string target = PreparingServer().CreateDatabase();
  const std::string payload = Subscriber().Pack();
  RestoreOptions options = Into(PreparingServer(), target);
  options.on_step = [&](absl::string_view step) {
    if (step != "views") return;  // subscriptions are post-data
    const std::string staging = StagingOf(target);
    EXPECT_EQ(PreparingServer().Query(
                  staging,
                  "SELECT count(*) FROM pg_subscription s JOIN"
                  " pg_database d ON d.oid = s.subdbid WHERE datname"
                  " = current_database()"),
              "1");
    Hold(staging);
    PreparingServer().Exec("postgres",
                           absl::StrCat("SELECT pg_terminate_backend(pid)"
                                        " FROM pg_stat_activity WHERE"
                                        " datname = '",
                                        staging, "'"));
  };
  const RestoreOutcome failed = RestoreInto(options, payload);
  EXPECT_FALSE(failed.status.ok());
  EXPECT_EQ(failed.Warning("staging_database_left"), "");
  EXPECT_EQ(LeftoversOn(PreparingServer()), "");
  EXPECT_TRUE(SlotIsThere());
  options.on_step = nullptr;
  const RestoreOutcome again = RestoreInto(options, payload);
  EXPECT_TRUE(again.status.ok()) << again.status;
}

// Whether a process that restores is killed at this step.
bool DiesAt(const std::string& fatal, const std::string& packed,
            RestoreOptions options) {
  const pid_t child = fork();
  if (child == 0) {
    options.on_step = [&](absl::string_view step) {
      if (step == fatal) raise(SIGKILL);
    };
    _exit(RestoreInto(options, packed).status.ok() ? 0 : 1);
  }
  int state = 0;
  return child > 0 && waitpid(child, &state, 0) == child && WIFSIGNALED(state);
}

TEST(RestoreLeftoverTest, TheNextRestoreRemovesOneThatAllowsNoConnections) {
  TestPayload payload = Subscriber();
  payload.head.database.allow_connections = false;
  payload.head.database.is_template = true;
  const std::string target = PreparingServer().CreateDatabase();
  ASSERT_TRUE(DiesAt("swap", payload.Pack(), Into(PreparingServer(), target)));
  EXPECT_EQ(LeftoversOn(PreparingServer()), StagingOf(target));
  const RestoreOutcome again =
      RestoreInto(Into(PreparingServer(), target), Subscriber().Pack());
  EXPECT_TRUE(again.status.ok()) << again.status;
  EXPECT_EQ(LeftoversOn(PreparingServer()), "");
  EXPECT_TRUE(SlotIsThere());
}

std::vector<std::string> WarningsOfABackup() {
  PostgresSourceOptions options;
  static const std::string* const kSource =
      new std::string(PreparingServer().CreateDatabase());
  options.backup.connection = PreparingServer().Options(*kSource);
  options.backup.jobs = 1;
  sdk::FakeSink sink;
  const absl::Status status =
      MakePostgresSource(std::move(options))->Backup(sdk::Run(), {}, sink);
  EXPECT_TRUE(status.ok()) << status;
  return sink.warnings;
}

TEST(RestoreLeftoverTest, ABackupRemovesWhatARestoreThatDiedHasLeft) {
  const std::string target = PreparingServer().CreateDatabase();
  const std::string payload = Subscriber().Pack();
  ASSERT_TRUE(DiesAt("views", payload, Into(PreparingServer(), target)));
  EXPECT_EQ(LeftoversOn(PreparingServer()), StagingOf(target));
  EXPECT_EQ(WarningsOfABackup().size(), 0u);
  EXPECT_EQ(LeftoversOn(PreparingServer()), "");
  EXPECT_TRUE(SlotIsThere());
  // Not what one that is alive still needs.
  RestoreOptions options = Into(PreparingServer(), target);
  options.on_step = [&](absl::string_view step) {
    if (step == "views") WarningsOfABackup();
  };
  const RestoreOutcome outcome = RestoreInto(options, payload);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
}

// It is administered from template1, where nobody else looks for its lock.
TEST(RestoreLeftoverTest, ARestoreIntoDatabasePostgresIsSeenByOthers) {
  const std::string payload = Subscriber().Pack();
  const std::string second = PreparingServer().CreateDatabase();
  RestoreOutcome other;
  RestoreOptions options = Into(PreparingServer(), "postgres");
  options.on_step = [&](absl::string_view step) {
    if (step != "views") return;
    other = RestoreInto(Into(PreparingServer(), second), payload);
  };
  const RestoreOutcome outcome = RestoreInto(options, payload);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_TRUE(other.status.ok()) << other.status;
  EXPECT_EQ(
      PreparingServer().Query("postgres", "SELECT count(*) FROM public.t"),
      "1");
}

// Keeps every DROP DATABASE waiting, as a long checkpoint does.
class SlowDrops {
 public:
  SlowDrops() : blocker_(PreparingServer().Connect("template1")) {
    EXPECT_TRUE(
        blocker_->Exec("BEGIN; LOCK TABLE pg_database IN SHARE MODE").ok());
  }
  // Lets them go on, and waits until the server has done all of them.
  void End() { EXPECT_TRUE(blocker_->Exec("COMMIT").ok()); }

 private:
  const std::unique_ptr<Connection> blocker_;
};

std::atomic<bool> g_interrupted{false};
const sluice_run kInterruptedRun = {
    sizeof(sluice_run), nullptr,
    [](void*) -> uint32_t { return g_interrupted.load() ? 1 : 0; }};

// Whether a server still waits to drop a database.
bool ADropWaits() {
  return PreparingServer().Query(
             "template1",
             "SELECT count(*) FROM pg_stat_activity WHERE query"
             " LIKE 'DROP DATABASE%' AND wait_event_type = 'Lock'") == "1";
}

// Cancels itself when `slow` keeps every DROP waiting.
RestoreOutcome CancelledRestore(const std::string& target,
                                absl::Duration patience,
                                std::unique_ptr<SlowDrops>* slow) {
  RestoreOptions options = Into(PreparingServer(), target);
  options.cancel_patience = patience;
  options.on_step = [&](absl::string_view step) {
    if (step != "views") return;
    PreparingServer().Exec(
        StagingOf(target),
        "ALTER SUBSCRIPTION \"Sub '1'\" SET (slot_name = NONE);"
        " DROP SUBSCRIPTION \"Sub '1'\"");
    *slow = std::make_unique<SlowDrops>();
    g_interrupted = true;
  };
  RestoreOutcome outcome =
      RestoreInto(options, Subscriber().Pack(), sdk::Run(&kInterruptedRun));
  g_interrupted = false;
  return outcome;
}

TEST(RestoreLeftoverTest,
     WhatACancelHasNoTimeToDropIsNamedAndDroppedAllTheSame) {
  const std::string target = PreparingServer().CreateDatabase();
  const std::string staging = StagingOf(target);
  std::unique_ptr<SlowDrops> slow;
  // A loaded machine has not even asked for it in the usual time.
  absl::Duration patience = RestoreOptions().cancel_patience;
  do {
    if (slow != nullptr) slow->End();
    const RestoreOutcome outcome = CancelledRestore(target, patience, &slow);
    EXPECT_EQ(ErrorCodeOf(outcome.status), kCancelled) << outcome.status;
    const std::string warning = outcome.Warning("staging_database_left");
    EXPECT_TRUE(absl::StrContains(warning, staging)) << warning;
    EXPECT_EQ(LeftoversOn(PreparingServer()), staging);
    patience *= 2;
  } while (!ADropWaits() && patience < absl::Seconds(20));
  slow->End();
  // The server goes on by itself: nobody is there to be told when it is done.
  const absl::Time limit = absl::Now() + absl::Minutes(1);
  while (LeftoversOn(PreparingServer()) != "" && absl::Now() < limit) {
  }
  EXPECT_EQ(LeftoversOn(PreparingServer()), "");
}

}  // namespace
}  // namespace sluice::postgres
