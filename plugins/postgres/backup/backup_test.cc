#include "sluice/plugins/postgres/backup/backup.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <filesystem>  // NOLINT(build/c++17)
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/postgres/backup/head_reader.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/testing/payload_contents.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

// A run that the test can cancel.
class FakeRun {
 public:
  void Cancel() { cancelled_ = true; }
  sdk::Run run() const { return sdk::Run(&table_); }

 private:
  std::atomic<bool> cancelled_{false};
  const sluice_run table_{sizeof(sluice_run), this, [](void* self) -> uint32_t {
                            return static_cast<FakeRun*>(self)->cancelled_;
                          }};
};

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() : database_(Server().CreateDatabase()) {
    options_.connection = Server().Options(database_);
    options_.lock_wait = absl::Milliseconds(300);
  }

  void Exec(const std::string& sql) { Server().Exec(database_, sql); }
  absl::Status Run() { return BackupDatabase(run_.run(), options_, sink_); }
  // Runs and takes the payload apart.
  void RunAndRead() {
    const absl::Status status = Run();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(sink_.ends, 1);
    const absl::Status read = contents_.Read(sink_.payload);
    ASSERT_TRUE(read.ok()) << read;
  }
  // Ends every session of a backup, as an administrator would.
  void TerminateSessions() {
    Server().Query("postgres",
                   "SELECT count(pg_terminate_backend(pid, 5000)) FROM "
                   "pg_stat_activity WHERE application_name = 'sluice' AND "
                   "datname = '" +
                       database_ + "'");
  }
  // Whether somebody waits for a lock in our database.
  bool SomebodyWaits() {
    return Server().Query("postgres",
                          "SELECT count(*) FROM pg_stat_activity WHERE "
                          "wait_event_type = 'Lock' AND datname = '" +
                              database_ + "'") != "0";
  }

  const std::string database_;
  BackupOptions options_;
  FakeRun run_;
  sdk::FakeSink sink_;
  PayloadContents contents_;
};

TEST_F(BackupTest, HoldsEveryRowAndSaysHowMany) {
  Exec(
      "CREATE TABLE a (i int, t text);"
      "INSERT INTO a SELECT i, repeat('x', i % 100) FROM "
      "generate_series(1, 50000) i;"
      "CREATE TABLE b (r regclass); INSERT INTO b VALUES ('a'), (NULL);"
      "CREATE TABLE empty (i int); CREATE TABLE bare ();"
      "INSERT INTO bare SELECT FROM generate_series(1, 3);"
      "CREATE TABLE computed (i int, d int GENERATED ALWAYS AS (i * 2) STORED);"
      "INSERT INTO computed VALUES (1)");
  RunAndRead();
  EXPECT_EQ(contents_.rows["public.a"], 50000u);
  EXPECT_EQ(contents_.rows["public.b"], 2u);
  EXPECT_EQ(contents_.rows["public.empty"], 0u);
  EXPECT_EQ(contents_.rows["public.bare"], 3u);
  EXPECT_EQ(contents_.Table("public.a")->format, CopyFormat::kBinary);
  EXPECT_EQ(contents_.Table("public.b")->format, CopyFormat::kText);
  EXPECT_EQ(contents_.data["public.b"], "public.a\n\\N\n");
  EXPECT_EQ(contents_.Table("public.computed")->columns,
            std::vector<std::string>{"i"});
  EXPECT_EQ(sink_.counts["rows"], 50006u);
  EXPECT_EQ(sink_.counts["tables"], 5u);
  EXPECT_TRUE(absl::StartsWith(contents_.schema_dump, "PGDMP"));
  EXPECT_TRUE(absl::StartsWith(
      sink_.metadata["postgres.table.\"public\".\"a\""], "rows=50000 bytes="));
}

TEST_F(BackupTest, ReadsALargeTableInPiecesAndEachRowOnce) {
  Exec(
      "CREATE TABLE a (i int);"
      "INSERT INTO a SELECT generate_series(1, 300000)");
  options_.jobs = 3;
  options_.min_piece_bytes = 1 << 20;
  RunAndRead();
  EXPECT_EQ(contents_.rows["public.a"], 300000u);
  // The same rows in one piece add up to the same digest.
  const std::string digest = contents_.index.tables[0].digest;
  options_.jobs = 1;
  sdk::FakeSink whole;
  ASSERT_TRUE(BackupDatabase(run_.run(), options_, whole).ok());
  PayloadContents again;
  ASSERT_TRUE(again.Read(whole.payload).ok());
  EXPECT_EQ(again.index.tables[0].digest, digest);
}

TEST_F(BackupTest, BoundsPartsButForOneLargerRow) {
  Exec(
      "CREATE TABLE a (b bytea);"
      "INSERT INTO a SELECT decode(repeat('ab', 3000000), 'hex') FROM "
      "generate_series(1, 4);"
      "INSERT INTO a SELECT decode(repeat('cd', 9000000), 'hex')");
  RunAndRead();
  EXPECT_EQ(contents_.rows["public.a"], 5u);
  EXPECT_EQ(contents_.largest_part["public.a"], 9000000u + 6);
}

TEST_F(BackupTest, SeesWhatATruncateAfterTheSnapshotWouldTakeAway) {
  Exec(
      "CREATE TABLE a (i int); INSERT INTO a VALUES (1), (2);"
      "CREATE TABLE b (i int); INSERT INTO b VALUES (3)");
  std::thread truncater;
  std::atomic<bool> truncated{false};
  options_.on_step = [&](absl::string_view step, absl::string_view) {
    if (step != "snapshot") return;
    truncater = std::thread([&] {
      Exec("TRUNCATE a, b");
      truncated = true;
    });
    while (!SomebodyWaits() && !truncated) std::this_thread::yield();
  };
  RunAndRead();
  truncater.join();
  EXPECT_EQ(contents_.rows["public.a"], 2u);
  EXPECT_EQ(contents_.rows["public.b"], 1u);
  EXPECT_EQ(Server().Query(database_, "SELECT count(*) FROM a"), "0");
}

TEST_F(BackupTest, ShowsEverySessionTheSameInstant) {
  Exec(
      "CREATE TABLE a (i int); INSERT INTO a VALUES (1);"
      "CREATE TABLE b (i int); INSERT INTO b VALUES (1)");
  std::string by_psql;
  options_.on_step = [&](absl::string_view step, absl::string_view snapshot) {
    if (step != "snapshot") return;
    Exec("INSERT INTO a VALUES (2); INSERT INTO b VALUES (2)");
    const auto other = Server().Connect(database_);
    by_psql = other
                  ->Exec(absl::StrCat("BEGIN ISOLATION LEVEL REPEATABLE READ;"
                                      "SET TRANSACTION SNAPSHOT '",
                                      snapshot, "'; SELECT sum(i) FROM a"))
                  ->Text(0, 0);
  };
  RunAndRead();
  EXPECT_EQ(contents_.rows["public.a"], 1u);
  EXPECT_EQ(contents_.rows["public.b"], 1u);
  EXPECT_EQ(by_psql, "1");
}

TEST_F(BackupTest, WaitsForALockByBeginningAnew) {
  Exec("CREATE TABLE a (i int); INSERT INTO a VALUES (1)");
  auto holder = Server().Connect(database_);
  ASSERT_TRUE(holder->Exec("BEGIN; ALTER TABLE a ADD x int DEFAULT 7").ok());
  std::thread releaser([&] {
    // Not before the first attempt has given up: 300 ms after it began to wait.
    while (!SomebodyWaits()) std::this_thread::yield();
    while (SomebodyWaits()) std::this_thread::yield();
    holder->Exec("COMMIT").status().IgnoreError();
  });
  RunAndRead();
  releaser.join();
  EXPECT_EQ(contents_.Table("public.a")->columns,
            (std::vector<std::string>{"i", "x"}));
}

TEST_F(BackupTest, SaysThatATableIsLockedForTooLong) {
  Exec("CREATE TABLE a (i int)");
  const auto holder = Server().Connect(database_);
  ASSERT_TRUE(holder->Exec("BEGIN; LOCK TABLE a").ok());
  options_.patience = absl::Milliseconds(100);
  const absl::Status status = Run();
  EXPECT_EQ(SqlStateOf(status), kLockNotAvailable) << status;
  EXPECT_TRUE(absl::StrContains(HintOf(status), "ALTER")) << status;
  EXPECT_EQ(sink_.ends, 0);
}

TEST_F(BackupTest, LetsAnAlterThroughThatWouldHoldUpPgDump) {
  Exec("CREATE TABLE a (i int); INSERT INTO a VALUES (1)");
  // Somebody reads for long: the ALTER waits for him, and we for the ALTER.
  auto reader = Server().Connect(database_);
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT * FROM a").ok());
  std::thread alterer([&] { Exec("ALTER TABLE a ADD x int"); });
  while (!SomebodyWaits()) std::this_thread::yield();
  std::thread releaser([&] {
    const std::string waiting =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = "
        "'AccessShareLock'";
    while (Server().Query(database_, waiting) == "0") {
      std::this_thread::yield();
    }
    reader->Exec("COMMIT").status().IgnoreError();
  });
  RunAndRead();
  alterer.join();
  releaser.join();
  EXPECT_EQ(contents_.Table("public.a")->columns.size(), 2u);
}

TEST_F(BackupTest, IsCancelledWhileItWaitsForALock) {
  Exec("CREATE TABLE a (i int)");
  const auto holder = Server().Connect(database_);
  ASSERT_TRUE(holder->Exec("BEGIN; LOCK TABLE a").ok());
  options_.lock_wait = absl::Minutes(10);
  absl::Time cancelled;
  std::thread canceller([&] {
    while (!SomebodyWaits()) std::this_thread::yield();
    cancelled = absl::Now();
    run_.Cancel();
  });
  const absl::Status status = Run();
  const absl::Time returned = absl::Now();
  canceller.join();
  EXPECT_EQ(ErrorCodeOf(status), kCancelled) << status;
  EXPECT_LT(returned - cancelled, absl::Seconds(1));
}

TEST_F(BackupTest, IsCancelledWhileRowsStream) {
  Exec(
      "CREATE TABLE a (i int);"
      "INSERT INTO a SELECT generate_series(1, 300000)");
  absl::Time cancelled;
  options_.on_step = [&](absl::string_view step, absl::string_view) {
    if (step != "rows") return;
    cancelled = absl::Now();
    run_.Cancel();
  };
  const absl::Status status = Run();
  EXPECT_EQ(ErrorCodeOf(status), kCancelled) << status;
  EXPECT_LT(absl::Now() - cancelled, absl::Seconds(1));
  EXPECT_EQ(sink_.ends, 0);
}

TEST_F(BackupTest, PassesOnWhatTheSinkSays) {
  Exec(
      "CREATE TABLE a (i int);"
      "INSERT INTO a SELECT generate_series(1, 300000)");
  ASSERT_TRUE(Run().ok());
  const int calls = sink_.calls;
  ASSERT_GT(calls, 10);
  for (int i = 0; i < calls; i += std::max(1, calls / 10)) {
    sdk::FakeSink failing;
    failing.fail_after = i;
    const absl::Status status = BackupDatabase(run_.run(), options_, failing);
    EXPECT_EQ(status.message(), "by the test") << i << ": " << status;
    EXPECT_EQ(failing.ends, 0);
  }
}

TEST_F(BackupTest, SaysThatItsSessionsWereTerminated) {
  Exec(
      "CREATE TABLE a (i int);"
      "INSERT INTO a SELECT generate_series(1, 300000)");
  options_.on_step = [&](absl::string_view step, absl::string_view) {
    if (step == "rows") TerminateSessions();
  };
  const absl::Status status = Run();
  EXPECT_EQ(SqlStateOf(status), "57P01") << status;
  EXPECT_EQ(ErrorCodeOf(status), kSourceAborted);
  EXPECT_EQ(sink_.ends, 0);
}

TEST_F(BackupTest, SaysThatTheServerShutDownOrCrashed) {
  for (const int signal : {SIGINT, SIGQUIT}) {
    TestServer server;
    server.Exec("postgres",
                "CREATE TABLE a (i int);"
                "INSERT INTO a SELECT generate_series(1, 300000)");
    options_.connection = server.Options("postgres");
    options_.on_step = [&](absl::string_view step, absl::string_view) {
      if (step == "rows") server.Stop(signal);
    };
    sdk::FakeSink sink;
    const absl::Status status = BackupDatabase(run_.run(), options_, sink);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_TRUE(IsRetryable(status)) << status;
    EXPECT_EQ(sink.ends, 0);
    server.Start();
  }
}

TEST_F(BackupTest, NamesTheTableWhoseRowCannotBeSent) {
  Exec("CREATE TABLE ok (i int); CREATE TABLE \"a b\" (t xml)");
  Exec("INSERT INTO \"a b\" VALUES ('<a/>')");
  // A page that the server finds damaged when it reads it.
  const std::string path =
      Server().Query(database_, "SELECT pg_relation_filepath('\"a b\"')");
  Exec("CHECKPOINT");
  {
    std::fstream file(Server().folder() + "/data/" + path,
                      std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file);
    file << "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
  }
  Server().Stop(SIGINT);
  Server().Start();
  const absl::Status status = Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_TRUE(absl::StrContains(status.message(), "\"public\".\"a b\""))
      << status;
}

TEST_F(BackupTest, RefusesToLeaveOutRowsThatAPolicyHides) {
  Exec(
      "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
      "'reader') THEN CREATE ROLE reader LOGIN; END IF; END $$;"
      "CREATE TABLE a (i int); INSERT INTO a VALUES (1), (2);"
      "ALTER TABLE a ENABLE ROW LEVEL SECURITY;"
      "CREATE POLICY p ON a USING (i = 1);"
      "GRANT SELECT ON a TO reader");
  options_.connection.Set("user", "reader");
  const absl::Status status = Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_TRUE(absl::StrContains(HintOf(status), "BYPASSRLS")) << status;
  sdk::FakeSink whole;
  options_.connection.Set("user", "postgres");
  ASSERT_TRUE(BackupDatabase(run_.run(), options_, whole).ok());
  ASSERT_TRUE(contents_.Read(whole.payload).ok());
  EXPECT_EQ(contents_.rows["public.a"], 2u);
}

TEST_F(BackupTest, RefusesAPgDumpThatIsOlderThanTheServer) {
  const std::string folder = ::testing::TempDir() + "/old_tools";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/pg_dump")
      << "#!/bin/sh\necho 'pg_dump (PostgreSQL) 12.9 (Debian)'\n";
  std::filesystem::permissions(folder + "/pg_dump",
                               std::filesystem::perms::owner_all);
  options_.tools_folder = folder;
  const absl::Status status = Run();
  EXPECT_EQ(ErrorCodeOf(status), kSourceUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "12.9")) << status;
  EXPECT_TRUE(absl::StrContains(HintOf(status), "postgresql-client-15"));
}

TEST_F(BackupTest, StreamsTheIdsOfTheBlocksThatTheSnapshotRefersTo) {
  Exec(
      "CREATE TABLE files (block text);"
      "INSERT INTO files SELECT 'block-' || i % 1500 FROM "
      "generate_series(1, 3000) i;"
      "INSERT INTO files VALUES (NULL), ('a\\b')");
  options_.payload_ids = {{"public", "files", "block"}};
  RunAndRead();
  EXPECT_EQ(sink_.payload_ids.size(), 1501u);
  EXPECT_EQ(sink_.payload_ids.count("a\\b"), 1u);
}

TEST_F(BackupTest, StreamsTheIdsOfEveryTableBelow) {
  Exec(
      "CREATE TABLE files (block char(9), k int) PARTITION BY LIST (k);"
      "CREATE TABLE files_1 PARTITION OF files FOR VALUES IN (1);"
      "CREATE TABLE files_2 PARTITION OF files FOR VALUES IN (2);"
      "INSERT INTO files VALUES ('one', 1), ('two', 2), (NULL, 2);"
      "CREATE VIEW view AS TABLE files");
  options_.payload_ids = {{"public", "files", "block"}};
  RunAndRead();
  EXPECT_EQ(sink_.payload_ids, (std::set<std::string>{"one", "two"}));
  options_.payload_ids = {{"public", "view", "block"}};
  EXPECT_EQ(ErrorCodeOf(Run()), kSourceConfigInvalid);
}

TEST_F(BackupTest, HoldsLargeObjectsWithOwnersRightsAndComments) {
  Exec(
      "SELECT lo_from_bytea(70001, 'small');"
      "SELECT lo_from_bytea(70002, decode(repeat('ab', 9000000), 'hex'));"
      "SELECT lo_create(70003);"
      "COMMENT ON LARGE OBJECT 70001 IS 'it''s small';"
      "GRANT SELECT ON LARGE OBJECT 70001 TO PUBLIC");
  RunAndRead();
  ASSERT_EQ(contents_.blobs.size(), 3u);
  EXPECT_EQ(contents_.blobs[70001], "small");
  EXPECT_EQ(contents_.blobs[70002], std::string(9000000, '\xab'));
  EXPECT_EQ(contents_.blobs[70003], "");
  EXPECT_EQ(contents_.blob_owners[0].comment, "it's small");
  ASSERT_TRUE(contents_.blob_owners[0].grants.has_value());
  EXPECT_EQ(contents_.blob_owners[0].grants->back().grantee, "");
  EXPECT_FALSE(contents_.blob_owners[1].grants.has_value());
}

TEST_F(BackupTest, LoadsPartitionsThroughTheirRootWhereTheirHashIsNotStable) {
  Exec(
      "CREATE TYPE mood AS ENUM ('sad', 'ok');"
      "CREATE TABLE m (a mood) PARTITION BY HASH (a);"
      "CREATE TABLE m0 PARTITION OF m FOR VALUES WITH (modulus 2, remainder 0);"
      "CREATE TABLE m1 PARTITION OF m FOR VALUES WITH (modulus 2, remainder 1);"
      "CREATE TABLE i (a int) PARTITION BY HASH (a);"
      "CREATE TABLE i0 PARTITION OF i FOR VALUES WITH (modulus 1, remainder 0);"
      "CREATE TABLE e (a int) PARTITION BY LIST (a);"
      "CREATE TABLE e1 PARTITION OF e FOR VALUES IN (1) PARTITION BY HASH "
      "((a + 1));"
      "CREATE TABLE e1h PARTITION OF e1 FOR VALUES WITH (modulus 1, remainder "
      "0)");
  RunAndRead();
  EXPECT_EQ(contents_.Table("public.m0")->root_name, "m");
  EXPECT_EQ(contents_.Table("public.m1")->root_name, "m");
  EXPECT_EQ(contents_.Table("public.i0")->root_name, "");
  EXPECT_EQ(contents_.Table("public.e1h")->root_name, "e");
}

// An extension of this server's for as long as it lives.
class Extension {
 public:
  explicit Extension(const std::string& script) {
    share_ = Server().Query("postgres",
                            "SELECT setting FROM pg_config WHERE name = "
                            "'SHAREDIR'") +
             "/extension/";
    std::ofstream(share_ + "sluice_test.control") << "default_version = '1'\n";
    std::ofstream file(share_ + "sluice_test--1.sql");
    file << script;
    if (!file.good()) ADD_FAILURE() << share_ << " cannot be written";
  }
  ~Extension() {
    std::filesystem::remove(share_ + "sluice_test.control");
    std::filesystem::remove(share_ + "sluice_test--1.sql");
  }

 private:
  std::string share_;
};

TEST_F(BackupTest, HoldsTheConfigurationOfExtensionsAndNothingElseOfThem) {
  const Extension extension(
      "CREATE TABLE config (i int); CREATE TABLE fixed (i int);"
      "INSERT INTO config VALUES (1); INSERT INTO fixed VALUES (1);"
      "SELECT pg_extension_config_dump('config', 'WHERE i > 1');");
  Exec("CREATE EXTENSION sluice_test; INSERT INTO config VALUES (2)");
  RunAndRead();
  EXPECT_EQ(contents_.rows["public.config"], 1u);
  EXPECT_EQ(contents_.Table("public.fixed"), nullptr);
}

TEST_F(BackupTest, ReadsEachRowOfALargeConfigurationTableOnce) {
  const Extension extension(
      "CREATE TABLE config (i int);"
      "SELECT pg_extension_config_dump('config', 'WHERE i > 1 OR i < 0');");
  Exec(
      "CREATE EXTENSION sluice_test;"
      "INSERT INTO config SELECT generate_series(1, 20000)");
  options_.jobs = 3;
  options_.min_piece_bytes = 8192;
  RunAndRead();
  EXPECT_EQ(contents_.rows["public.config"], 19999u);
}

TEST_F(BackupTest, RefusesAConfigurationTableThatSomebodyElseHasTheSayOf) {
  const Extension extension(
      "CREATE TABLE config (i int);"
      "SELECT pg_extension_config_dump('config', 'WHERE i > 1');");
  Exec(
      "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
      "'reader') THEN CREATE ROLE reader LOGIN; END IF; END $$;"
      "CREATE EXTENSION sluice_test; ALTER TABLE config OWNER TO reader");
  const absl::Status status = Run();
  EXPECT_EQ(ErrorCodeOf(status), kSourcePermissionDenied) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "config")) << status;
  EXPECT_TRUE(absl::StrContains(HintOf(status), "owner")) << status;
}

TEST_F(BackupTest, HoldsTablesOfEveryNameThatPostgresTakes) {
  const std::string quotes(63, '"');
  Exec(absl::StrCat(
      "CREATE SCHEMA \"s\n\t\"; CREATE TABLE \"s\n\t\".\"t\tab\" (\"c\n\" int);"
      "INSERT INTO \"s\n\t\".\"t\tab\" VALUES (1);"
      "CREATE SCHEMA \"",
      quotes, quotes, "\"; CREATE TABLE \"", quotes, quotes, "\".\"", quotes,
      quotes, "\" (i int); INSERT INTO \"", quotes, quotes, "\".\"", quotes,
      quotes, "\" VALUES (1), (2)"));
  RunAndRead();
  EXPECT_EQ(contents_.rows["s\n\t.t\tab"], 1u);
  EXPECT_EQ(contents_.rows[absl::StrCat(quotes, ".", quotes)], 2u);
  // What an archive takes as a key (executor/payload.h).
  for (const auto& entry : sink_.metadata) {
    EXPECT_LE(entry.first.size(), 256u) << entry.first;
    EXPECT_EQ(entry.first.find_first_of("\n\t"), std::string::npos);
  }
}

TEST_F(BackupTest, CountsADatabaseOfViewsAndFunctionsAsNoEmptyOne) {
  Exec(
      "CREATE VIEW v AS SELECT 1 AS i;"
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  RunAndRead();
  EXPECT_EQ(sink_.counts["rows"], 0u);
  EXPECT_GT(sink_.counts["definitions"], 0u);
  Exec("DROP VIEW v; DROP FUNCTION f()");
  sdk::FakeSink empty;
  ASSERT_TRUE(BackupDatabase(run_.run(), options_, empty).ok());
  for (const auto& count : empty.counts) {
    EXPECT_EQ(count.second, 0u) << count.first;
  }
}

TEST_F(BackupTest, HoldsDefinitionsInBytesThatAreNoUtf8) {
  for (const char* const encoding : {"SQL_ASCII", "MULE_INTERNAL"}) {
    const std::string database = Server().CreateDatabase(
        absl::StrCat("TEMPLATE template0 ENCODING '", encoding,
                     "' LC_COLLATE 'C' LC_CTYPE 'C'"));
    options_.connection = Server().Options(database);
    options_.connection.Set("client_encoding", "SQL_ASCII");
    // Latin 1 within MULE_INTERNAL; Latin 1 as it is.
    const std::string text = encoding[0] == 'M' ? "caf\x81\xe9" : "caf\xe9";
    Interrupt interrupt{sdk::Run()};
    auto session = *Connection::Open(options_.connection, &interrupt);
    const auto made = session->Exec(absl::StrCat(
        "CREATE TABLE public.t (a text DEFAULT '", text,
        "'); INSERT INTO public.t DEFAULT VALUES; COMMENT ON TABLE public.t IS "
        "'",
        text, "'"));
    ASSERT_TRUE(made.ok()) << encoding << ": " << made.status();
    options_.connection = Server().Options(database);
    sdk::FakeSink sink;
    const absl::Status status = BackupDatabase(run_.run(), options_, sink);
    ASSERT_TRUE(status.ok()) << encoding << ": " << status;
    PayloadContents contents;
    ASSERT_TRUE(contents.Read(sink.payload).ok()) << encoding;
    EXPECT_EQ(contents.data["public.t"], text + "\n") << encoding;
    EXPECT_TRUE(absl::StrContains(contents.schema_dump, text)) << encoding;
    // Else a target takes them for UTF-8, and refuses them.
    EXPECT_TRUE(absl::StrContains(contents.schema_dump,
                                  "SET client_encoding = 'SQL_ASCII'"))
        << encoding;
  }
}

TEST_F(BackupTest, WarnsOfWhatPgDumpLeavesOut) {
  Exec(
      "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
      "'plain') THEN CREATE ROLE plain LOGIN IN ROLE pg_read_all_data; END IF; "
      "END $$; CREATE TABLE a (i int)");
  Exec(
      "CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION p WITH "
      "(connect = false)");
  options_.connection.Set("user", "plain");
  RunAndRead();
  ASSERT_EQ(sink_.warnings.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(sink_.warnings[0], "pg_dump_warning: "))
      << sink_.warnings[0];
  EXPECT_TRUE(absl::StrContains(sink_.warnings[0], "subscriptions"))
      << sink_.warnings[0];
  Exec("ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub");
}

TEST_F(BackupTest, KeepsToTheTimeThatALockMayTakeAndNamesTheTable) {
  Exec("CREATE TABLE a (i int); CREATE TABLE \"held B\" (i int)");
  const auto holder = Server().Connect(database_);
  ASSERT_TRUE(holder->Exec("BEGIN; LOCK TABLE \"held B\"").ok());
  options_.lock_wait = absl::Minutes(10);
  options_.patience = absl::Milliseconds(200);
  const absl::Status status = Run();
  EXPECT_EQ(SqlStateOf(status), kLockNotAvailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "public.\"held B\""))
      << status;
  EXPECT_TRUE(absl::StrContains(
      status.message(), absl::StrCat("process ", holder->backend_pid())))
      << status;
}

// pg_dump asks for the text of a view, whose lock is none of those that we
// hold.
TEST_F(BackupTest, KeepsToItWhileDefinitionsAreRead) {
  Exec("CREATE VIEW v AS SELECT 1 AS i");
  const auto holder = Server().Connect(database_);
  ASSERT_TRUE(holder->Exec("BEGIN; ALTER VIEW v RENAME COLUMN i TO j").ok());
  options_.lock_wait = absl::Milliseconds(100);
  options_.patience = absl::Milliseconds(200);
  const absl::Status status = Run();
  EXPECT_EQ(SqlStateOf(status), kLockNotAvailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "public.v")) << status;
}

// Where pg_dump finds that a view is gone which it had just listed.
TEST_F(BackupTest, BeginsAnewWhereAnObjectIsDroppedMeanwhile) {
  Exec("CREATE TABLE a (i int); CREATE VIEW v AS SELECT 1 AS i");
  const std::string folder = ::testing::TempDir() + "/dropping_tools";
  std::filesystem::create_directories(folder);
  const std::string real = "/usr/lib/postgresql/15/bin";
  std::ofstream(folder + "/pg_dump")
      << "#!/bin/sh\n"
      << "[ \"$1\" = --version ] || [ -e " << folder << "/failed ] || {\n"
      << "touch " << folder << "/failed\n"
      << "echo 'pg_dump: error: schema with OID 4711 does not exist' >&2\n"
      << "exit 1\n}\nexec " << real << "/pg_dump \"$@\"\n";
  std::ofstream(folder + "/pg_restore")
      << "#!/bin/sh\nexec " << real << "/pg_restore \"$@\"\n";
  for (const char* const name : {"/pg_dump", "/pg_restore"}) {
    std::filesystem::permissions(folder + name,
                                 std::filesystem::perms::owner_all);
  }
  std::filesystem::remove(folder + "/failed");
  options_.tools_folder = folder;
  RunAndRead();
  EXPECT_TRUE(std::filesystem::exists(folder + "/failed"));
}

// Five sessions that each lock every table would need five times as many.
TEST_F(BackupTest, NeedsTheRoomOfOneLockForEachTable) {
  TestServer server(
      {.settings = {"max_locks_per_transaction = 10", "max_connections = 20"}});
  server.Exec("postgres",
              "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE 'CREATE TABLE t' || i "
              "|| ' ()'; IF i % 50 = 0 THEN COMMIT; END IF; END LOOP; END $$");
  options_.connection = server.Options("postgres");
  options_.jobs = 6;
  RunAndRead();
  EXPECT_EQ(sink_.counts["tables"], 300u);
}

TEST_F(BackupTest, LeavesOutWhatAServerInRecoveryCannotRead) {
  TestServer server;
  server.Exec("postgres",
              "CREATE UNLOGGED TABLE u (i serial); INSERT INTO u DEFAULT "
              "VALUES; CREATE TABLE t (i serial); INSERT INTO t DEFAULT "
              "VALUES; CREATE SEQUENCE never");
  server.Stop(SIGINT);
  std::ofstream(server.folder() + "/data/standby.signal").close();
  server.Start();
  options_.connection = server.Options("postgres");
  RunAndRead();
  EXPECT_EQ(contents_.rows["public.t"], 1u);
  EXPECT_EQ(contents_.Table("public.u"), nullptr);
  ASSERT_EQ(sink_.warnings.size(), 2u);
  EXPECT_TRUE(absl::StartsWith(sink_.warnings[0], "unlogged_table_left_out"));
  EXPECT_TRUE(absl::StartsWith(sink_.warnings[1],
                               "unlogged_sequence_left_out: sequence "
                               "\"public\".\"u_i_seq\""));
  ASSERT_EQ(contents_.index.sequences.size(), 2u);
}

TEST_F(BackupTest, LetsASequenceBeAlteredWhileRowsAreRead) {
  Exec("CREATE SEQUENCE a; CREATE SEQUENCE b; SELECT nextval('a')");
  options_.on_step = [&](absl::string_view step, absl::string_view) {
    if (step == "rows") {
      Exec(
          "SET lock_timeout = '5s'; ALTER SEQUENCE a INCREMENT 2; DROP "
          "SEQUENCE "
          "b");
    }
  };
  RunAndRead();
  EXPECT_EQ(contents_.index.sequences.size(), 2u);
}

TEST_F(BackupTest, HoldsTheStateOfSequencesWhetherCalledOrNot) {
  Exec(
      "CREATE SEQUENCE a; SELECT setval('a', 42, false);"
      "CREATE SEQUENCE b; SELECT setval('b', 7);"
      "CREATE SEQUENCE c START 5");
  RunAndRead();
  ASSERT_EQ(contents_.index.sequences.size(), 3u);
  EXPECT_EQ(contents_.index.sequences[0].last_value, 42);
  EXPECT_FALSE(contents_.index.sequences[0].is_called);
  EXPECT_EQ(contents_.index.sequences[1].last_value, 7);
  EXPECT_TRUE(contents_.index.sequences[1].is_called);
  EXPECT_EQ(contents_.index.sequences[2].last_value, 5);
  EXPECT_FALSE(contents_.index.sequences[2].is_called);
}

TEST_F(BackupTest, HintsAtTheRightsOfLargeObjects) {
  Exec(
      "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
      "'plain') THEN CREATE ROLE plain LOGIN IN ROLE pg_read_all_data; END IF; "
      "END $$; SELECT lo_from_bytea(70004, 'mine')");
  options_.connection.Set("user", "plain");
  const absl::Status status = Run();
  EXPECT_EQ(ErrorCodeOf(status), kSourcePermissionDenied) << status;
  EXPECT_TRUE(absl::StrContains(HintOf(status), "LARGE OBJECT")) << status;
}

TEST_F(BackupTest, SendsOtherEncodingsAsTheyAre) {
  options_.connection = Server().Options(Server().CreateDatabase(
      "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"));
  Server().Exec(options_.connection.Get("dbname"),
                "CREATE TABLE a (t text); INSERT INTO a VALUES (E'\\u00fc')");
  RunAndRead();
  EXPECT_EQ(contents_.head.database.encoding, "LATIN1");
  EXPECT_EQ(contents_.data["public.a"], "\xfc\n");
}

TEST_F(BackupTest, KnowsTheStoreAgainAfterARename) {
  const auto id = [](absl::string_view database) {
    const auto connection = Server().Connect(database);
    return *ReadStoreId(*connection);
  };
  const std::string first = id(database_);
  EXPECT_TRUE(absl::StartsWith(first, "pg-")) << first;
  EXPECT_NE(id("postgres"), first);
  Server().Exec("postgres", "ALTER DATABASE " + database_ + " RENAME TO moved");
  EXPECT_EQ(id("moved"), first);
  Server().Exec("postgres",
                "ALTER DATABASE moved SET sluice.store_id = 'mine'");
  EXPECT_EQ(id("moved"), "mine");
}

}  // namespace
}  // namespace sluice::postgres
