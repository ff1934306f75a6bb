// Backups of a database that is written, truncated and altered all the while,
// restored into another server, whose OIDs differ.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/environment.h"
#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/restore/restore.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/postgres/tools/client_tools.h"
#include "sluice/plugins/postgres/tools/process.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

// Twenty, or as many as the sample of the day holds.
const int kBackups = static_cast<int>(std::max<int64_t>(20 / FaultStride(), 3));

// What no transaction of pgbench changes, and what each changes.
constexpr absl::string_view kChecksums =
    "SELECT (SELECT sum(abalance) FROM pgbench_accounts) || ' ' ||"
    " (SELECT sum(bbalance) FROM pgbench_branches) || ' ' ||"
    " (SELECT sum(tbalance) FROM pgbench_tellers) || ' ' ||"
    " (SELECT coalesce(sum(delta), 0) FROM pgbench_history) || ' ' ||"
    " (SELECT sum(hashtextextended(a::text, 0)) FROM pgbench_accounts a) ||"
    " ' ' || (SELECT coalesce(sum(hashtextextended(h::text, 0)), 0)"
    " FROM pgbench_history h)";
constexpr absl::string_view kBalanced =
    "SELECT (SELECT sum(abalance) FROM pgbench_accounts) ="
    " (SELECT sum(bbalance) FROM pgbench_branches) AND"
    " (SELECT sum(abalance) FROM pgbench_accounts) ="
    " (SELECT sum(tbalance) FROM pgbench_tellers) AND"
    " (SELECT sum(abalance) FROM pgbench_accounts) ="
    " (SELECT coalesce(sum(delta), 0) FROM pgbench_history)";

// Statements over and over, until it is gone; a pause between them leaves the
// processors to others, and is far shorter than a backup.
class Writer {
 public:
  Writer(TestServer& server, const std::string& database,
         std::vector<std::string> statements)
      : interrupt_(sdk::Run()) {
    thread_ = std::thread([this, &server, database, statements] {
      auto connection = Connection::Open(server.Options(database), &interrupt_);
      while (connection.ok() && interrupt_.status().ok()) {
        for (const std::string& statement : statements) {
          if ((*connection)->Exec(statement).ok()) ++done_;
          (*connection)->Exec("SELECT pg_sleep(0.01)").status().IgnoreError();
        }
      }
    });
  }
  ~Writer() {
    interrupt_.Stop();
    thread_.join();
  }
  int done() const { return done_; }

 private:
  Interrupt interrupt_;
  std::atomic<int> done_{0};
  std::thread thread_;
};

// pgbench's transfers, until it is gone.
class Transfers {
 public:
  Transfers(TestServer& server, const std::string& database)
      : interrupt_(sdk::Run()) {
    const ClientTools tools = *ClientTools::Find("", 0, interrupt_);
    thread_ = std::thread([this, tools, &server, database] {
      RunProcess({{tools.folder() + "/pgbench", "-n", "-c", "4", "-R", "400",
                   "-T", "600", ConnInfo(server.Options(database))},
                  {},
                  ""},
                 interrupt_, [](absl::string_view) { return absl::OkStatus(); })
          .IgnoreError();
    });
  }
  ~Transfers() {
    interrupt_.Stop();
    thread_.join();
  }

 private:
  Interrupt interrupt_;
  std::thread thread_;
};

TEST(LiveTest, RestoresExactSumsFromBackupsUnderTransfersTruncatesAndAlters) {
  TestServer& source = TestServer::Shared();
  TestServer target;
  const std::string database = source.CreateDatabase();
  source.Tool("pgbench", database, {"-i", "-q", "-s", "1"});
  source.Exec(database,
              "CREATE TABLE emptied (i int);"
              "INSERT INTO emptied SELECT generate_series(1, 1000);"
              "CREATE TABLE rewritten (i int);"
              "INSERT INTO rewritten SELECT generate_series(1, 1000);"
              "CREATE TABLE altered (i int);"
              "INSERT INTO altered SELECT generate_series(1, 1000)");
  const Transfers transfers(source, database);
  const Writer truncates(
      source, database,
      {"BEGIN; TRUNCATE public.emptied; INSERT INTO public.emptied "
       "SELECT generate_series(1, 1000); COMMIT"});
  const Writer rewrites(source, database,
                        {"ALTER TABLE public.rewritten ALTER i TYPE bigint",
                         "ALTER TABLE public.rewritten ALTER i TYPE int"});
  const Writer alters(source, database,
                      {"ALTER TABLE public.altered ADD x int",
                       "ALTER TABLE public.altered DROP x"});
  absl::Duration backing_up, restoring;
  for (int i = 0; i < kBackups; ++i) {
    std::string expected;
    BackupOptions backup;
    backup.connection = source.Options(database);
    backup.lock_wait = absl::Milliseconds(500);
    backup.on_step = [&](absl::string_view step, absl::string_view snapshot) {
      if (step != "snapshot") return;
      expected =
          source.Connect(database)
              ->Exec(absl::StrCat("BEGIN ISOLATION LEVEL REPEATABLE READ;"
                                  "SET TRANSACTION SNAPSHOT '",
                                  snapshot, "';", kChecksums))
              ->Text(0, 0);
    };
    sdk::FakeSink sink;
    const absl::Time start = absl::Now();
    const absl::Status status = BackupDatabase(sdk::Run(), backup, sink);
    ASSERT_TRUE(status.ok()) << i << ": " << status;
    backing_up += absl::Now() - start;
    // Other OIDs than at the source.
    const std::string copy = target.CreateDatabase();
    RestoreOptions restore;
    restore.target = target.Options(copy);
    sdk::FakePayload payload(sink.payload, 1 << 20);
    sdk::FakeRestoreRequest request({&payload});
    const absl::Time middle = absl::Now();
    const absl::Status restored = RestoreDatabase(sdk::Run(), request, restore);
    ASSERT_TRUE(restored.ok()) << i << ": " << restored;
    restoring += absl::Now() - middle;
    EXPECT_EQ(target.Query(copy, kBalanced), "t") << i;
    EXPECT_EQ(target.Query(copy, kChecksums), expected) << i;
    for (const char* const table : {"emptied", "rewritten", "altered"}) {
      EXPECT_EQ(target.Query(copy, absl::StrCat("SELECT count(*) || ' ' || "
                                                "sum(i) FROM ",
                                                table)),
                "1000 500500")
          << i << ": " << table;
    }
    target.Exec("postgres", absl::StrCat("DROP DATABASE ", copy));
  }
  std::printf(
      "%d backups in %s, restored in %s; meanwhile %d truncates, %d "
      "rewrites, %d alters\n",
      kBackups, absl::FormatDuration(backing_up).c_str(),
      absl::FormatDuration(restoring).c_str(), truncates.done(),
      rewrites.done(), alters.done());
  EXPECT_GT(truncates.done(), 0);
  EXPECT_GT(rewrites.done(), 0);
  EXPECT_GT(alters.done(), 0);
}

}  // namespace
}  // namespace sluice::postgres
