#include "sluice/plugins/postgres/client/connection.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/row_budget.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/testing/test_server.h"

namespace sluice::postgres {
namespace {

// Stops `interrupt` as soon as a backend other than ours waits for a lock.
std::thread StopWhenBlocked(Interrupt& interrupt, int backend) {
  return std::thread([&interrupt, backend] {
    const auto watch = Server().Connect();
    const std::string sql = absl::StrCat(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND pid = ",
        backend);
    while (watch->Exec(sql)->Integer(0, 0) == 0) std::this_thread::yield();
    interrupt.Stop();
  });
}

TEST(ConnectionTest, RunsStatementsAndReadsTheirResults) {
  const auto connection = Server().Connect();
  const auto result = connection->Exec(
      "CREATE TEMP TABLE t (a int, b text);"
      "INSERT INTO t VALUES (1, 'x'), (2, NULL);"
      "SELECT a, b, a = 1 FROM t ORDER BY a");
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->rows(), 2);
  EXPECT_EQ(result->columns(), 3);
  EXPECT_EQ(result->Integer(1, 0), 2);
  EXPECT_EQ(result->Get(0, 1), "x");
  EXPECT_TRUE(result->IsNull(1, 1));
  EXPECT_TRUE(result->Bool(0, 2));
  EXPECT_EQ(connection->Exec("DELETE FROM t")->affected_rows(), 2u);
}

TEST(ConnectionTest, PassesParametersInTextAndInBinary) {
  const auto connection = Server().Connect();
  const std::string bytes("\0\1'\\", 4);
  const auto result = connection->ExecParams(
      "SELECT $1::text || 'b', length($2::bytea), $3::int IS NULL, $2::bytea",
      {"it's a", Param(bytes, Format::kBinary), Param::Null()},
      Format::kBinary);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Get(0, 0), "it's ab");
  EXPECT_EQ(result->Get(0, 1), absl::string_view("\0\0\0\4", 4));
  EXPECT_EQ(result->Get(0, 3), bytes);
}

TEST(ConnectionTest, FixesWhatTheSessionDependsOn) {
  Server().Exec("postgres",
                "ALTER DATABASE postgres SET datestyle = 'German';"
                "ALTER DATABASE postgres SET statement_timeout = '1ms';"
                "ALTER DATABASE postgres SET search_path = 'public'");
  Interrupt interrupt{sdk::Run()};
  const auto connection = *Connection::Open(Server().Options(), &interrupt);
  const auto result = connection->Exec(
      "SELECT date '2026-02-01', current_setting('statement_timeout'), "
      "current_setting('search_path'), current_setting('row_security'), "
      "current_setting('client_encoding')");
  Server().Exec("postgres", "ALTER DATABASE postgres RESET ALL");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Get(0, 0), "2026-02-01");
  EXPECT_EQ(result->Get(0, 1), "0");
  EXPECT_EQ(result->Get(0, 2), "");
  EXPECT_EQ(result->Get(0, 3), "off");
  EXPECT_EQ(result->Get(0, 4), "UTF8");
}

TEST(ConnectionTest, GoesOnAfterAnErrorOfTheServer) {
  const auto connection = Server().Connect();
  const absl::Status status =
      connection->Exec("SELECT 1 FROM nowhere").status();
  EXPECT_EQ(SqlStateOf(status), kUndefinedTable) << status;
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_EQ(connection->Exec("SELECT 7")->Integer(0, 0), 7);
}

TEST(ConnectionTest, CopiesRowsOutAndIn) {
  const auto connection = Server().Connect();
  ASSERT_TRUE(connection->Exec("CREATE TEMP TABLE t (a int, b text)").ok());
  ASSERT_TRUE(connection->BeginCopyIn("COPY t FROM STDIN").ok());
  for (int i = 0; i < 100000; ++i) {
    ASSERT_TRUE(connection->Put(absl::StrCat(i, "\tvalue\n")).ok());
  }
  EXPECT_EQ(*connection->EndCopyIn(), 100000u);
  ASSERT_TRUE(connection->BeginCopyOut("COPY t TO STDOUT").ok());
  absl::string_view row;
  int rows = 0;
  while (true) {
    const absl::StatusOr<bool> more = connection->NextRow(&row);
    ASSERT_TRUE(more.ok()) << more.status();
    if (!*more) break;
    ASSERT_EQ(row, absl::StrCat(rows++, "\tvalue\n"));
  }
  EXPECT_EQ(rows, 100000);
  EXPECT_EQ(connection->Exec("SELECT count(*) FROM t")->Integer(0, 0), 100000);
}

TEST(ConnectionTest, TakesRowsWholeWhateverComesBetweenThem) {
  RowBudget budget(1 << 20);
  ConnectionOptions options = Server().Options();
  options.row_budget = &budget;
  const Interrupt never{sdk::Run()};
  const auto connection = *Connection::Open(options, &never);
  ASSERT_TRUE(connection
                  ->Exec("CREATE FUNCTION pg_temp.noisy(i int) RETURNS text "
                         "LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'at %', i;"
                         "RETURN repeat('x', i); END $$")
                  .ok());
  ASSERT_TRUE(connection
                  ->BeginCopyOut("COPY (SELECT pg_temp.noisy(i) FROM unnest("
                                 "'{0,1,300000,2,16000,3000000,1,600000,5}'"
                                 "::int[]) i) TO STDOUT")
                  .ok());
  absl::string_view row;
  std::vector<size_t> sizes;
  while (*connection->NextRow(&row)) {
    EXPECT_EQ(row.substr(0, row.size() - 1), std::string(row.size() - 1, 'x'));
    sizes.push_back(row.size() - 1);
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{0, 1, 300000, 2, 16000, 3000000, 1,
                                        600000, 5}));
  // Everything was given back.
  const Interrupt expired(sdk::Run(), absl::Now());
  EXPECT_TRUE(budget.Take(1 << 20, expired).ok());
}

TEST(ConnectionTest, FailsACopyWhoseRowsAreWrongAndGoesOn) {
  const auto connection = Server().Connect();
  ASSERT_TRUE(connection->Exec("CREATE TEMP TABLE t (a int)").ok());
  ASSERT_TRUE(connection->BeginCopyIn("COPY t FROM STDIN").ok());
  ASSERT_TRUE(connection->Put("1\nx\n").ok());
  EXPECT_EQ(SqlStateOf(connection->EndCopyIn().status()), "22P02");
  EXPECT_EQ(connection->Exec("SELECT count(*) FROM t")->Integer(0, 0), 0);
}

TEST(ConnectionTest, AbortsACopyInAndGoesOn) {
  const auto connection = Server().Connect();
  ASSERT_TRUE(connection->Exec("CREATE TEMP TABLE t (a int)").ok());
  ASSERT_TRUE(connection->BeginCopyIn("COPY t FROM STDIN").ok());
  ASSERT_TRUE(connection->Put("1\n").ok());
  const absl::Status status = connection->AbortCopyIn("no more");
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(connection->Exec("SELECT count(*) FROM t")->Integer(0, 0), 0);
}

TEST(ConnectionTest, FailsACopyOutThatBreaksInTheMiddle) {
  const auto connection = Server().Connect();
  ASSERT_TRUE(connection
                  ->BeginCopyOut("COPY (SELECT 1 / (50000 - i) FROM "
                                 "generate_series(1, 100000) i) TO STDOUT")
                  .ok());
  absl::string_view row;
  absl::StatusOr<bool> more = true;
  int rows = 0;
  for (; more.ok() && *more; ++rows) more = connection->NextRow(&row);
  EXPECT_EQ(SqlStateOf(more.status()), "22012") << more.status();
  EXPECT_EQ(rows, 50000);
  EXPECT_TRUE(connection->Exec("SELECT 1").ok());
}

TEST(ConnectionTest, RefusesACopyWithinExecAndAStatementThatIsNone) {
  EXPECT_EQ(
      Server().Connect()->Exec("COPY (SELECT 1) TO STDOUT").status().code(),
      absl::StatusCode::kInternal);
  const auto connection = Server().Connect();
  EXPECT_FALSE(connection->BeginCopyOut("SELECT 1").ok());
  EXPECT_TRUE(connection->Exec("SELECT 1").ok());
}

TEST(ConnectionTest, IsInterruptedWhileBlockedOnALock) {
  const std::string database = Server().CreateDatabase();
  Server().Exec(database, "CREATE TABLE t (a int)");
  const auto holder = Server().Connect(database);
  ASSERT_TRUE(holder->Exec("BEGIN; LOCK TABLE t").ok());
  Interrupt interrupt{sdk::Run()};
  auto connection = Connection::Open(Server().Options(database), &interrupt);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const int backend = (*connection)->backend_pid();
  std::thread stopper = StopWhenBlocked(interrupt, backend);
  const absl::Status status =
      (*connection)->Exec("SELECT * FROM public.t").status();
  const absl::Time returned = absl::Now();
  stopper.join();
  EXPECT_EQ(ErrorCodeOf(status), kCancelled) << status;
  EXPECT_EQ(ErrorCodeOf((*connection)->Exec("SELECT 1").status()), kCancelled);
  // The server has let go of it as well, although the lock is still held.
  const std::string sql = absl::StrCat(
      "SELECT count(*) FROM pg_stat_activity WHERE pid = ", backend);
  while (Server().Query("postgres", sql) != "0" &&
         absl::Now() - returned < absl::Seconds(2)) {
    std::this_thread::yield();
  }
  EXPECT_LT(absl::Now() - returned, absl::Seconds(1));
}

TEST(ConnectionTest, IsInterruptedWithinATenthOfASecond) {
  Interrupt interrupt(sdk::Run(), absl::Now() + absl::Milliseconds(300));
  auto connection = Connection::Open(Server().Options(), &interrupt);
  ASSERT_TRUE(connection.ok()) << connection.status();
  const absl::Time start = absl::Now();
  EXPECT_EQ((*connection)->Exec("SELECT pg_sleep(60)").status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(800));
}

TEST(ConnectionTest, SaysThatItsBackendWasTerminated) {
  const auto connection = Server().Connect();
  Server().Exec("postgres", absl::StrCat("SELECT pg_terminate_backend(",
                                         connection->backend_pid(), ", 5000)"));
  const absl::Status status = connection->Exec("SELECT 1").status();
  EXPECT_EQ(SqlStateOf(status), "57P01") << status;
  EXPECT_EQ(ErrorCodeOf(status), kSourceAborted);
  EXPECT_TRUE(IsRetryable(status));
  EXPECT_FALSE(connection->Exec("SELECT 1").ok());
}

TEST(ConnectionTest, SaysInTheMiddleOfACopyThatItsBackendWasTerminated) {
  const auto connection = Server().Connect();
  ASSERT_TRUE(connection
                  ->BeginCopyOut("COPY (SELECT repeat('x', 1000) FROM "
                                 "generate_series(1, 10000000)) TO STDOUT")
                  .ok());
  absl::string_view row;
  ASSERT_TRUE(*connection->NextRow(&row));
  std::atomic<bool> over{false};
  std::thread killer([&] {
    Server().Exec("postgres",
                  absl::StrCat("SELECT pg_terminate_backend(",
                               connection->backend_pid(), ", 5000)"));
    over = true;
  });
  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) more = connection->NextRow(&row);
  killer.join();
  EXPECT_TRUE(over);
  EXPECT_TRUE(absl::IsUnavailable(more.status())) << more.status();
  // A backend that blocks in a write to us goes without a word.
  const std::string state = SqlStateOf(more.status());
  EXPECT_TRUE(state == "57P01" || state.empty()) << more.status();
}

TEST(ConnectionTest, SaysThatTheServerShutDownAndThatItIsNotThere) {
  TestServer server;
  const auto connection = server.Connect();
  server.Stop(SIGINT);
  EXPECT_EQ(SqlStateOf(connection->Exec("SELECT 1").status()), "57P01");
  Interrupt interrupt{sdk::Run()};
  const absl::Status refused =
      Connection::Open(server.Options(), &interrupt).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorCodeOf(refused), kSourceUnavailable) << refused;
  EXPECT_FALSE(absl::StrContains(refused.message(), "\t")) << refused;
  server.Start();
  EXPECT_TRUE(server.Connect()->Exec("SELECT 1").ok());
}

TEST(ConnectionTest, SaysThatTheServerCrashed) {
  TestServer server;
  const auto connection = server.Connect();
  kill(connection->backend_pid(), SIGKILL);
  const absl::Status status = connection->Exec("SELECT 1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
}

TEST(ConnectionTest, TellsWhatIsWrongAtConnecting) {
  Interrupt interrupt{sdk::Run()};
  const absl::Status missing =
      Connection::Open(Server().Options("no such"), &interrupt).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound) << missing;
  EXPECT_EQ(ErrorCodeOf(missing), kSourceUnavailable);
  EXPECT_FALSE(absl::StrContains(missing.message(), "LOCATION")) << missing;
  ConnectionOptions options = Server().Options();
  options.Set("sslmode", "bogus");
  EXPECT_EQ(ErrorCodeOf(Connection::Open(options, &interrupt).status()),
            kSourceUnavailable);
}

// The statement that would reset it is killed by it, were it not for the
// startup packet: at a limit of a millisecond even the first one often is.
TEST(ConnectionTest, ASocketThatMayNotBeReachedIsNoServerThatIsMissing) {
  std::string folder = testing::TempDir() + "/closed-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  ASSERT_EQ(chmod(folder.c_str(), 0), 0);
  ConnectionOptions options = Server().Options();
  options.Set("host", folder);
  Interrupt interrupt{sdk::Run()};
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;
  ASSERT_EQ(root ? seteuid(kNobody) : 0, 0);
  const absl::Status status = Connection::Open(options, &interrupt).status();
  ASSERT_EQ(root ? seteuid(0) : 0, 0);
  EXPECT_EQ(ErrorCodeOf(status), kSourcePermissionDenied) << status;
  EXPECT_TRUE(absl::StrContains(HintOf(status), "socket")) << HintOf(status);
  options.Set("host", folder + "-none");
  EXPECT_EQ(ErrorCodeOf(Connection::Open(options, &interrupt).status()),
            kSourceUnavailable);
}

TEST(ConnectionTest, RunsNoStatementUnderTheTimeLimitOfARole) {
  Server().Exec("postgres",
                "CREATE ROLE hasty LOGIN; ALTER ROLE hasty SET "
                "statement_timeout = 1; ALTER ROLE hasty SET xmloption = "
                "document; ALTER ROLE hasty SET array_nulls = off");
  Interrupt interrupt{sdk::Run()};
  ConnectionOptions options = Server().Options();
  options.Set("user", "hasty");
  options.Set("options", "-c statement_timeout=1 -c work_mem=1234kB");
  for (int i = 0; i < 20; ++i) {
    const auto connection = Connection::Open(options, &interrupt);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const auto row = (*connection)
                         ->Exec(
                             "SELECT pg_sleep(0.003), "
                             "current_setting('work_mem'), "
                             "current_setting('xmloption'), "
                             "current_setting('array_nulls')");
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_EQ((*connection)
                  ->Exec("SELECT source FROM pg_settings WHERE name = "
                         "'statement_timeout'")
                  ->Get(0, 0),
              "client");
    EXPECT_EQ(row->Get(0, 1), "1234kB");  // what the user asked for, too
    EXPECT_EQ(row->Get(0, 2), "content");
    EXPECT_EQ(row->Get(0, 3), "on");
  }
  Server().Exec("postgres", "DROP ROLE hasty");
}

TEST(ConnectionTest, FixesAllOfItForATransactionAsWell) {
  const auto connection = Server().Connect();
  ASSERT_TRUE(connection
                  ->Exec("SET row_security = on; SET search_path = public;"
                         "SET datestyle = 'German'")
                  .ok());
  ASSERT_TRUE(connection->Begin("READ ONLY").ok());
  const auto row = connection->Exec(
      "SELECT current_setting('row_security'), current_setting('search_path'),"
      " current_setting('datestyle'), current_setting('transaction_read_only'),"
      " current_setting('restrict_nonsystem_relation_kind', true)");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->Get(0, 0), "off");
  EXPECT_EQ(row->Get(0, 1), "\"\"");
  EXPECT_EQ(row->Get(0, 2), "ISO, YMD");
  EXPECT_EQ(row->Get(0, 3), "on");
  EXPECT_TRUE(row->IsNull(0, 4) || row->Get(0, 4) == "view, foreign-table")
      << row->Get(0, 4);
  ASSERT_TRUE(connection->Exec("ROLLBACK").ok());
  EXPECT_EQ(connection->Exec("SHOW row_security")->Get(0, 0), "on");
  EXPECT_FALSE(connection->pooled());
}

TEST(ConnectionTest, ReadsADatabaseThatNothingConvertsToUtf8) {
  const std::string database = Server().CreateDatabase(
      "TEMPLATE template0 ENCODING 'MULE_INTERNAL' LC_COLLATE 'C' LC_CTYPE "
      "'C'");
  EXPECT_EQ(Server().Query(database, "SELECT 'ascii'"), "ascii");
}

TEST(ConnectionTest, NamesWhatAPasswordIsMissingFor) {
  TestServer server({.tls = true, .settings = {}});
  server.Exec("postgres", "CREATE ROLE bob LOGIN PASSWORD 'x'");
  Interrupt interrupt{sdk::Run()};
  ConnectionOptions options = server.TcpOptions("postgres");
  options.Set("user", "bob");
  options.Set("passfile", "/nonexistent");
  const absl::Status none = Connection::Open(options, &interrupt).status();
  EXPECT_EQ(ErrorCodeOf(none), kSourcePermissionDenied) << none;
  EXPECT_TRUE(absl::StrContains(
      HintOf(none), absl::StrCat("127.0.0.1:", server.port(), ":postgres:bob")))
      << HintOf(none);
  options = server.Options("postgres");
  options.Set("user", "bob");
  options.Set("host", "127.0.0.1");
  options.Set("sslmode", "disable");
  const absl::Status hba = Connection::Open(options, &interrupt).status();
  EXPECT_EQ(ErrorCodeOf(hba), kSourcePermissionDenied) << hba;
  EXPECT_TRUE(absl::StrContains(HintOf(hba), "pg_hba.conf")) << HintOf(hba);
  EXPECT_FALSE(absl::StrContains(hba.message(), "\n")) << hba;
}

TEST(ConnectionTest, SpeaksTlsAndScramAndNeverShowsAPassword) {
  TestServer server({.tls = true, .settings = {}});
  server.Exec("postgres", "CREATE ROLE alice LOGIN PASSWORD 'canary-4711'");
  Interrupt interrupt{sdk::Run()};
  ConnectionOptions options = server.TcpOptions("postgres");
  options.Set("user", "alice");
  options.password = "canary-4711";
  const auto connection = Connection::Open(options, &interrupt);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE((*connection)->tls());
  const absl::Status echoed =
      (*connection)->Exec("SELECT 'canary-4711'::int").status();
  EXPECT_FALSE(absl::StrContains(echoed.message(), "canary")) << echoed;
  options.password = "canary-wrong";
  const absl::Status wrong = Connection::Open(options, &interrupt).status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kPermissionDenied) << wrong;
  EXPECT_FALSE(absl::StrContains(wrong.ToString(), "canary")) << wrong;
  EXPECT_FALSE(HintOf(wrong).empty());
  options.password = "";
  const absl::Status none = Connection::Open(options, &interrupt).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kPermissionDenied) << none;
}

TEST(ConnectionTest, QuotesNamesAndText) {
  const auto connection = Server().Connect();
  const std::string odd = "a\"b'c\\d e";
  const auto result = connection->Exec(
      absl::StrCat("SELECT ", QuoteLiteral(odd), " AS ", QuoteIdentifier(odd)));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Get(0, 0), odd);
}

}  // namespace
}  // namespace sluice::postgres
