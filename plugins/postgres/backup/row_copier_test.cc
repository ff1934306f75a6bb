// Rows are read while the schemas of their tables are exchanged: by mistake,
// and by somebody who has put a view or a function where a table was.

#include "sluice/plugins/postgres/backup/row_copier.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>  // NOLINT(build/c++17)
#include <memory>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/environment.h"
#include "sluice/plugins/postgres/backup/part_writer.h"
#include "sluice/plugins/postgres/backup/snapshot.h"
#include "sluice/plugins/postgres/backup/table_guard.h"
#include "sluice/plugins/postgres/backup/table_list.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

// Fifty, or as many as the sample of the day holds.
const int kRuns = static_cast<int>(std::max<int64_t>(50 / FaultStride(), 5));
constexpr absl::string_view kExchange =
    "BEGIN; ALTER SCHEMA app RENAME TO meanwhile;"
    "ALTER SCHEMA other RENAME TO app;"
    "ALTER SCHEMA meanwhile RENAME TO other; COMMIT";

// Exchanges the schemas again and again, until it is gone.
class Exchanger {
 public:
  explicit Exchanger(const std::string& database) {
    thread_ = std::thread([this, database] {
      const auto session = Server().Connect(database);
      while (!over_) {
        session->Exec(kExchange).status().IgnoreError();
        ++exchanges_;
      }
    });
  }
  ~Exchanger() {
    over_ = true;
    thread_.join();
  }
  int exchanges() const { return exchanges_; }

 private:
  std::atomic<bool> over_{false};
  std::atomic<int> exchanges_{0};
  std::thread thread_;
};

class RowCopierTest : public ::testing::Test {
 protected:
  RowCopierTest() : database_(Server().CreateDatabase()) {
    mark_ = absl::StrCat(Server().folder(), "/executed_", database_);
    Exec(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
        "'eve') THEN CREATE ROLE eve LOGIN; END IF; END $$");
    Exec(absl::StrCat(
        "ALTER DATABASE ", database_,
        " OWNER TO eve;"
        // What it does it can only do with a superuser's rights; an immutable
        // function may not, but may have another one do it.
        "CREATE FUNCTION public.do_strike() RETURNS void LANGUAGE plpgsql AS "
        "$f$ BEGIN IF current_setting('is_superuser') = 'on' THEN EXECUTE "
        "'COPY (SELECT 1) TO PROGRAM ''cat > ",
        mark_,
        "'''; END IF; END $f$;"
        "CREATE FUNCTION public.strike(i int) RETURNS int LANGUAGE plpgsql "
        "IMMUTABLE AS $f$ BEGIN PERFORM public.do_strike(); RETURN i; END "
        "$f$"));
  }

  void Exec(const std::string& sql) { Server().Exec(database_, sql); }
  bool Executed() const { return std::filesystem::exists(mark_); }

  // A snapshot for two sessions, and what is in it.
  void Take() {
    snapshot_.reset();
    SnapshotOptions options;
    options.connection = Server().Options(database_);
    options.workers = 2;
    auto taken = Snapshot::Take(options, &interrupt_, [&](Snapshot& snapshot) {
      std::vector<std::string> left_out;
      auto tables = DescribeTables(snapshot.leader(), &left_out);
      if (!tables.ok()) return tables.status();
      tables_ = *std::move(tables);
      return absl::OkStatus();
    });
    ASSERT_TRUE(taken.ok()) << taken.status();
    snapshot_ = *std::move(taken);
    for (const auto& worker : snapshot_->workers()) {
      ASSERT_TRUE(SetTableSavepoint(*worker).ok());
    }
  }

  // Every table by a worker, in `pieces` where that may be; the first failure.
  absl::Status CopyAll(uint64_t pieces) {
    sdk::FakeSink sink;
    TarWriter tar(sink);
    PartWriter parts(tar, sink, tables_);
    absl::Status result;
    for (size_t i = 0; i < tables_.size(); ++i) {
      const std::vector<Piece> split =
          Split(tables_[i], std::min(pieces, MaxPieces(tables_[i], 150000)));
      parts.Expect(i, static_cast<int>(split.size()));
      for (size_t piece = 0; piece < split.size(); ++piece) {
        const absl::Status status =
            CopyPiece(*snapshot_->workers()[(i + piece) % 2], tables_[i], i,
                      split[piece], "UTF8", parts);
        if (result.ok()) result = status;
      }
    }
    totals_ = parts.Totals();
    return result;
  }
  uint64_t Rows(const std::string& schema) const {
    for (size_t i = 0; i < tables_.size(); ++i) {
      if (tables_[i].table.schema == schema) return totals_[i].rows;
    }
    return 0;
  }

  // Two tables of the same columns, of 2,000 rows and of 3.
  void MakeTwoTables(const std::string& owner) {
    Exec(absl::StrCat("CREATE SCHEMA app AUTHORIZATION ", owner,
                      "; CREATE SCHEMA other AUTHORIZATION ", owner,
                      "; CREATE TABLE app.orders (i int);"
                      "CREATE TABLE other.orders (i int);"
                      "INSERT INTO app.orders SELECT generate_series(1, 2000);"
                      "INSERT INTO other.orders SELECT generate_series(1, 3);"
                      "ALTER TABLE app.orders OWNER TO ",
                      owner, "; ALTER TABLE other.orders OWNER TO ", owner));
  }
  // The second is a view, which has all that a query of pages asks for.
  void MakeTableAndView() {
    Exec(
        "CREATE SCHEMA app AUTHORIZATION eve;"
        "CREATE SCHEMA other AUTHORIZATION eve;"
        "CREATE TABLE app.orders (i int);"
        "INSERT INTO app.orders SELECT generate_series(1, 2000);"
        "ALTER TABLE app.orders OWNER TO eve;"
        "CREATE VIEW other.orders AS SELECT public.strike(1) AS i,"
        " '(0,1)'::tid AS ctid, 0::oid AS tableoid;"
        "ALTER VIEW other.orders OWNER TO eve");
  }

  const std::string database_;
  std::string mark_;
  Interrupt interrupt_{sdk::Run()};
  std::vector<SourceTable> tables_;
  std::unique_ptr<Snapshot> snapshot_;
  std::vector<PayloadTableTotals> totals_;
};

TEST_F(RowCopierTest, ReadsTheTableThatWasLockedWhateverHasItsNameByThen) {
  for (const char* const owner : {"eve", "postgres"}) {
    snapshot_.reset();
    Exec("DROP SCHEMA IF EXISTS app, other CASCADE");
    MakeTwoTables(owner);
    bool exchanged = false;
    for (int run = 0; run < kRuns; ++run) {
      Take();
      Exec(std::string(kExchange));
      const absl::Status status = CopyAll(/*pieces=*/4);
      ASSERT_TRUE(status.ok()) << run << ": " << status;
      EXPECT_EQ(Rows("app"), exchanged ? 3u : 2000u) << run;
      EXPECT_EQ(Rows("other"), exchanged ? 2000u : 3u) << run;
      exchanged = !exchanged;
    }
  }
}

TEST_F(RowCopierTest, NeverReadsRowsOfATableThatIsExchangedAllTheWhile) {
  MakeTwoTables("eve");
  int whole = 0;
  for (int run = 0; run < kRuns; ++run) {
    Take();
    const bool exchanged = tables_[0].table.schema == "other";
    absl::Status status;
    {
      const Exchanger exchanger(database_);
      while (exchanger.exchanges() == 0) std::this_thread::yield();
      status = CopyAll(/*pieces=*/4);
    }
    if (status.ok()) {
      ++whole;
      EXPECT_EQ(Rows("app"), exchanged ? 3u : 2000u) << run;
      EXPECT_EQ(Rows("other"), exchanged ? 2000u : 3u) << run;
    } else {
      EXPECT_TRUE(IsRetryable(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "orders")) << status;
    }
  }
  EXPECT_GT(whole, 0);
}

TEST_F(RowCopierTest, RunsNoFunctionOfAViewThatTakesATablesName) {
  MakeTableAndView();
  for (int run = 0; run < kRuns; ++run) {
    Take();
    Exec(std::string(kExchange));
    const absl::Status status = CopyAll(/*pieces=*/4);
    ASSERT_TRUE(status.ok()) << run << ": " << status;
    EXPECT_EQ(totals_[0].rows, 2000u) << run;
    ASSERT_FALSE(Executed()) << run;
  }
}

TEST_F(RowCopierTest, RunsNoFunctionOfAViewThatIsExchangedAllTheWhile) {
  MakeTableAndView();
  for (int run = 0; run < kRuns; ++run) {
    Take();
    absl::Status status;
    {
      const Exchanger exchanger(database_);
      while (exchanger.exchanges() == 0) std::this_thread::yield();
      status = CopyAll(/*pieces=*/4);
    }
    if (status.ok()) {
      EXPECT_EQ(totals_[0].rows, 2000u) << run;
    }
    ASSERT_FALSE(Executed()) << run;
  }
}

TEST_F(RowCopierTest, SeesThatTheFunctionWouldHaveRun) {
  MakeTableAndView();
  EXPECT_EQ(Server().Query(database_, "SELECT i FROM other.orders"), "1");
  EXPECT_TRUE(Executed());
}

// No race at all: to plan a query, the server computes what an index is on.
TEST_F(RowCopierTest, RunsNoFunctionThatAnIndexOfTheTableIsOn) {
  Exec(
      "CREATE SCHEMA app AUTHORIZATION eve; CREATE TABLE app.orders (i int);"
      "INSERT INTO app.orders SELECT generate_series(1, 2000);"
      "ALTER TABLE app.orders OWNER TO eve;"
      "SET SESSION AUTHORIZATION eve;"
      "CREATE INDEX ON app.orders ((public.strike(1)));"
      "CREATE STATISTICS app.s ON (public.strike(2)), i FROM app.orders");
  Take();
  const absl::Status status = CopyAll(/*pieces=*/4);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(totals_[0].rows, 2000u);
  EXPECT_FALSE(Executed());
}

TEST_F(RowCopierTest, CutsOnlyWhatItsOwnersCouldNotTurnAgainstUs) {
  Exec(
      "CREATE SCHEMA app AUTHORIZATION eve;"
      "CREATE SCHEMA ours;"
      "CREATE TABLE app.ours (i int); CREATE TABLE ours.theirs (i int);"
      "CREATE TABLE ours.ours (i int); CREATE TABLE public.t (i int);"
      "ALTER TABLE ours.theirs OWNER TO eve;"
      "INSERT INTO ours.ours SELECT generate_series(1, 2000);"
      "INSERT INTO app.ours TABLE ours.ours;"
      "INSERT INTO ours.theirs TABLE ours.ours;"
      "INSERT INTO public.t TABLE ours.ours");
  Take();
  for (const SourceTable& table : tables_) {
    EXPECT_EQ(MaxPieces(table, 150000) > 1,
              table.table.schema == "ours" && table.table.name == "ours")
        << table.table.schema << "." << table.table.name;
  }
  snapshot_.reset();
  Exec(absl::StrCat("ALTER DATABASE ", database_, " OWNER TO postgres"));
  Take();
  EXPECT_GT(MaxPieces(tables_.back(), 150000), 1u);
  // An older server than 14 reads all of a table for a range of it.
  EXPECT_EQ(MaxPieces(tables_.back(), 130000), 1u);
}

TEST_F(RowCopierTest, LeavesATableToTheLeaderWhereSomebodyWaitsForItsLock) {
  Exec("CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
  Take();
  std::atomic<bool> truncated{false};
  std::thread truncater([&] {
    Exec("TRUNCATE t");
    truncated = true;
  });
  while (!truncated &&
         Server().Query(database_,
                        "SELECT count(*) FROM pg_locks WHERE NOT granted") ==
             "0") {
    std::this_thread::yield();
  }
  EXPECT_EQ(SqlStateOf(CopyAll(1)), kLockNotAvailable);
  sdk::FakeSink sink;
  TarWriter tar(sink);
  PartWriter parts(tar, sink, tables_);
  parts.Expect(0, 1);
  ASSERT_TRUE(SetTableSavepoint(snapshot_->leader()).ok());
  const absl::Status status =
      CopyPiece(snapshot_->leader(), tables_[0], 0, Piece{}, "UTF8", parts);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(parts.Totals()[0].rows, 1u);
  snapshot_.reset();
  truncater.join();
}

TEST_F(RowCopierTest, KnowsItsTableWithoutTheServersCounters) {
  Exec(absl::StrCat("ALTER DATABASE ", database_, " SET track_counts = off"));
  MakeTwoTables("eve");
  Take();
  Exec(std::string(kExchange));
  const absl::Status status = CopyAll(/*pieces=*/1);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Rows("app"), 2000u);
}

TEST_F(RowCopierTest, TellsWhetherWhatWasReadIsTheTable) {
  for (const char* const counts : {"on", "off"}) {
    Exec(absl::StrCat("ALTER DATABASE ", database_,
                      " SET track_counts = ", counts));
    Exec("DROP SCHEMA IF EXISTS app, other CASCADE");
    MakeTwoTables("eve");
    Take();
    Connection& session = *snapshot_->workers()[0];
    TableGuard guard(session, tables_[0].oid);
    // Exchanged after the look at the name, and before the COPY.
    ASSERT_EQ(*guard.Enter("app.orders"), "app.orders");
    Exec(std::string(kExchange));
    for (const char* const name : {"app.orders", "other.orders"}) {
      uint64_t rows = 0;
      ASSERT_TRUE(ForEachLine(session,
                              absl::StrCat("COPY ", name, " TO STDOUT"),
                              [&](absl::string_view) {
                                ++rows;
                                return absl::OkStatus();
                              })
                      .ok());
      const bool same = name[0] == 'o';
      EXPECT_EQ(rows, same ? 2000u : 3u);
      const auto proven = guard.Proves(rows);
      ASSERT_TRUE(proven.ok()) << proven.status();
      // Without counters, what was read first counts against it as well.
      EXPECT_EQ(*proven, same && counts[1] == 'n') << counts << name;
    }
    snapshot_.reset();
  }
}

TEST_F(RowCopierTest, HoldsTheLockOfOneTableAtATimeInEachSession) {
  for (int i = 0; i < 20; ++i) {
    Exec(absl::StrCat("CREATE TABLE t", i, " (i int)"));
  }
  Take();
  ASSERT_TRUE(CopyAll(1).ok());
  for (const auto& worker : snapshot_->workers()) {
    EXPECT_LE(
        worker
            ->Exec("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() "
                   "AND locktype = 'relation' AND relation >= 16384")
            ->Integer(0, 0),
        1);
  }
}

TEST(CopyOutSqlTest, NeverCutsATableThatHasACondition) {
  SourceTable table;
  table.table.columns = {"a", "b\"c"};
  table.is_heap = true;
  table.may_be_queried = true;
  table.pages = 100000;
  EXPECT_EQ(MaxPieces(table, 150000), 4096u);
  EXPECT_EQ(CopyOutSql(table, "s.t", {10, 0}, "UTF8"),
            "COPY (SELECT \"a\", \"b\"\"c\" FROM ONLY s.t WHERE ctid >= "
            "'(10,0)'::pg_catalog.tid) TO STDOUT (FORMAT text, ENCODING "
            "'UTF8')");
  table.condition = "WHERE a > 1 OR b < 2";
  EXPECT_EQ(MaxPieces(table, 150000), 1u);
  EXPECT_EQ(CopyOutSql(table, "s.t", {}, "UTF8"),
            "COPY (SELECT \"a\", \"b\"\"c\" FROM ONLY s.t TABLESAMPLE "
            "pg_catalog.system (100) WHERE a > 1 OR b < 2) TO STDOUT (FORMAT "
            "text, ENCODING 'UTF8')");
}

TEST(SplitTest, PiecesTogetherAreTheWholeTable) {
  SourceTable table;
  for (const uint64_t pages : {2u, 7u, 4096u, 100001u}) {
    table.pages = pages;
    for (const uint64_t count : {2u, 3u, 7u, 64u}) {
      const std::vector<Piece> pieces = Split(table, count);
      ASSERT_EQ(pieces.size(), count);
      EXPECT_EQ(pieces.front().begin, 0u);
      EXPECT_EQ(pieces.back().end, 0u);  // a table grows
      for (size_t i = 1; i < pieces.size(); ++i) {
        EXPECT_EQ(pieces[i].begin, pieces[i - 1].end);
      }
    }
  }
}

}  // namespace
}  // namespace sluice::postgres
