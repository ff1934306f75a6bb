// What a backup holds in memory: not the database, and no long row but one.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/testing/proc_status.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// The most that a backup of `database` had beyond what was there before.
uint64_t PeakOfBackingUp(const std::string& database, int jobs) {
  BackupOptions options;
  options.connection = TestServer::Shared().Options(database);
  options.jobs = jobs;
  options.min_piece_bytes = 16 * kMiB;
  sdk::FakeSink sink(kMiB, /*keep=*/false);
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak is now
  const uint64_t before = FromProcStatus("VmRSS");
  const absl::Time start = absl::Now();
  const absl::Status status = BackupDatabase(sdk::Run(), options, sink);
  const uint64_t peak = FromProcStatus("VmHWM") - before;
  EXPECT_TRUE(status.ok()) << status;
  std::printf("%d MiB in %s with %d jobs: %d MiB held at most\n",
              static_cast<int>(sink.size / kMiB),
              absl::FormatDuration(absl::Now() - start).c_str(), jobs,
              static_cast<int>(peak / kMiB));
  return peak;
}

TEST(BackupMemoryTest, ManyRowsCostNoMoreThanAPartForEachJob) {
  const std::string database = TestServer::Shared().CreateDatabase();
  TestServer::Shared().Exec(
      database,
      "CREATE UNLOGGED TABLE t AS SELECT i, repeat('x', 1000) AS t FROM "
      "generate_series(1, 200000) i");
  EXPECT_LT(PeakOfBackingUp(database, 4), 64 * kMiB);
}

TEST(BackupMemoryTest, TheLargestRowCostsNoMoreThanItself) {
  constexpr uint64_t kRow = 256 * kMiB;
  const std::string database = TestServer::Shared().CreateDatabase();
  TestServer::Shared().Exec(database,
                            absl::StrCat("CREATE UNLOGGED TABLE t (a text);"
                                         "INSERT INTO t SELECT repeat('x', ",
                                         kRow, ") FROM generate_series(1, 2)"));
  EXPECT_LT(PeakOfBackingUp(database, 2), 64 * kMiB + kRow);
}

TEST(BackupMemoryTest, LongRowsPassOneAtATimeHoweverManyJobsThereAre) {
  constexpr uint64_t kRow = 96 * kMiB;
  const std::string database = TestServer::Shared().CreateDatabase();
  for (int table = 0; table < 4; ++table) {
    TestServer::Shared().Exec(
        database, absl::StrCat("CREATE UNLOGGED TABLE t", table, " AS SELECT ",
                               "repeat('x', ", kRow, ") AS a"));
  }
  EXPECT_LT(PeakOfBackingUp(database, 4), 64 * kMiB + kRow);
}

}  // namespace
}  // namespace sluice::postgres
