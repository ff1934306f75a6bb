// What plans and jobs cost at scale, over the real catalog on a real disk: ten
// thousand plans that are due at once, and a page of a hundred thousand jobs.
// See README.md.

#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "sluice/benchmarks/measure.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/service/engine/scheduler.h"

namespace {

using sluice::BackupJob;
using sluice::Catalog;
using sluice::CatalogFilter;
using sluice::Context;
using sluice::SqliteConnection;
using sluice::SqliteDatabase;
using sluice::benchmarks::DieUnlessOk;

constexpr int kPlans = 10'000;
constexpr int kJobs = 100'000;

// A catalog of its own below /var/tmp, gone with this object.
class House {
 public:
  House() {
    folder_ = "/var/tmp/sluice-engine-XXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) abort();
    sluice::SqliteCatalogOptions options;
    options.path = path();
    auto opened = sluice::OpenSqliteCatalog(context_, options);
    DieUnlessOk(opened.status(), "open the catalog");
    catalog_ = *std::move(opened);
  }
  ~House() {
    catalog_.reset();
    for (const char* name : {"/catalog.db", "/catalog.db-wal",
                             "/catalog.db-shm", "/catalog.db-reserve"}) {
      unlink((folder_ + name).c_str());
    }
    rmdir(folder_.c_str());
  }

  const Context& context() const { return context_; }
  Catalog& catalog() { return *catalog_; }
  std::string path() const { return folder_ + "/catalog.db"; }
  // The tables, past the catalog.
  std::unique_ptr<SqliteDatabase> Raw() {
    sluice::SqliteOptions options;
    options.path = path();
    auto database = SqliteDatabase::Open(options);
    DieUnlessOk(database.status(), "open the tables");
    return *std::move(database);
  }

 private:
  std::string folder_;
  Context context_ = Context::Background();
  std::unique_ptr<Catalog> catalog_;
};

void AddPlans(House& house, absl::Time due) {
  sluice::BackupRepo repo;
  repo.set_id("repo");
  repo.set_name("repo");
  DieUnlessOk(house.catalog().AddRepo(house.context(), repo), "add the repo");
  const auto raw = house.Raw();
  DieUnlessOk(
      raw->Write(house.context(),
                 [&](SqliteConnection& connection) -> absl::Status {
                   return connection.Execute(absl::StrFormat(
                       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + "
                       "1 FROM n WHERE i < %d) INSERT INTO plans SELECT "
                       "printf('plan-%%05d', i), printf('plan-%%05d', i), 0, "
                       "1, 0, 0, '{\"source\":\"memory:\",\"repos\":"
                       "[\"repo\"],\"schedule\":\"0 2 * * *\","
                       "\"jitter_ms\":\"0\"}' FROM n;"
                       "INSERT INTO plan_targets SELECT id, 'repo', 0, %d, %d, "
                       "NULL, '' FROM plans;",
                       kPlans, absl::ToUnixMillis(due),
                       absl::ToUnixMillis(due)));
                 }),
      "add the plans");
}

// The reference: as many rows of that size, in as many transactions.
void InsertAsManyRows(House& house) {
  const auto raw = house.Raw();
  DieUnlessOk(raw->Write(house.context(),
                         [](SqliteConnection& connection) {
                           return connection.Execute(
                               "CREATE TABLE IF NOT EXISTS bare (id TEXT "
                               "PRIMARY KEY, body TEXT) STRICT");
                         }),
              "make the table");
  for (int batch = 0; batch < kPlans / 200; ++batch) {
    DieUnlessOk(raw->Write(house.context(),
                           [&](SqliteConnection& connection) -> absl::Status {
                             auto insert = connection.Prepare(
                                 "INSERT INTO bare VALUES (?, ?)");
                             if (!insert.ok()) return insert.status();
                             for (int row = 0; row < 200 * 4; ++row) {
                               const absl::Status status =
                                   insert->Bind(absl::StrCat(batch, "-", row))
                                       .Bind(std::string(200, 'x'))
                                       .Run();
                               if (!status.ok()) return status;
                               insert->Reset();
                             }
                             return absl::OkStatus();
                           }),
                "insert");
  }
}

void TenThousandRowsInBatches(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto house = std::make_unique<House>();
    state.ResumeTiming();
    InsertAsManyRows(*house);
    state.PauseTiming();
    house.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(TenThousandRowsInBatches)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3)
    ->UseRealTime();

void TenThousandPlansAreDue(benchmark::State& state) {
  absl::BitGen random;
  for (auto _ : state) {
    state.PauseTiming();
    auto house = std::make_unique<House>();
    // Two o'clock, the last time.
    const absl::Time now = absl::Now();
    const absl::Time due = absl::FromUnixSeconds(
        (absl::ToUnixSeconds(now) - 7200) / 86400 * 86400 + 7200);
    AddPlans(*house, due);
    sluice::service::Scheduler scheduler(&house->catalog(),
                                         sluice::Clock::Real(), random);
    state.ResumeTiming();
    DieUnlessOk(scheduler.Step(house->context()).status(), "step");
    state.PauseTiming();
    CatalogFilter pending;
    pending.status = BackupJob::PENDING;
    const auto jobs = house->catalog().ListJobs(house->context(), pending);
    if (!jobs.ok() || jobs->size() != kPlans) abort();
    house.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(TenThousandPlansAreDue)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3)
    ->UseRealTime();

// A look of an idle service at ten thousand plans.
void NothingIsDue(benchmark::State& state) {
  House house;
  AddPlans(house, absl::Now() + absl::Hours(24));
  absl::BitGen random;
  sluice::service::Scheduler scheduler(&house.catalog(), sluice::Clock::Real(),
                                       random);
  DieUnlessOk(scheduler.Step(house.context()).status(), "step");
  for (auto _ : state) {
    DieUnlessOk(scheduler.Step(house.context()).status(), "step");
  }
}
BENCHMARK(NothingIsDue)->Unit(benchmark::kMicrosecond);

House& HundredThousandJobs() {
  static auto* const house = [] {
    auto* made = new House;
    const auto raw = made->Raw();
    DieUnlessOk(
        raw->Write(made->context(),
                   [](SqliteConnection& connection) {
                     return connection.Execute(absl::StrFormat(
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i "
                         "+ 1 FROM n WHERE i < %d) INSERT INTO jobs (id, kind, "
                         "status, plan_id, repo_id, store_id, store_kind, "
                         "backup_id, base_backup_id, record_id, progress, "
                         "bytes_done, bytes_estimated, created_at_ms, "
                         "started_at_ms, finished_at_ms, error, error_code, "
                         "stage) SELECT printf('job-%%06d', i), 'backup', "
                         "'succeeded', printf('plan-%%05d', i %% 10000), "
                         "'repo', 'store', 'memory', printf('b-%%06d', i), '', "
                         "printf('b-%%06d', i), 100, i, i, i, i, i + 1, '', "
                         "'', 'done' FROM n",
                         kJobs));
                   }),
        "add the jobs");
    return made;
  }();
  return *house;
}

// The reference: SQLite's own answer, each column read.
void FiftyJobsBare(benchmark::State& state) {
  House& house = HundredThousandJobs();
  const auto raw = house.Raw();
  for (auto _ : state) {
    DieUnlessOk(
        raw->Read(house.context(),
                  [](SqliteConnection& connection) -> absl::Status {
                    auto select = connection.Prepare(
                        "SELECT * FROM jobs ORDER BY created_at_ms DESC, id "
                        "DESC LIMIT 50");
                    if (!select.ok()) return select.status();
                    while (true) {
                      const auto row = select->Step();
                      if (!row.ok() || !*row) return row.status();
                      for (int i = 0; i < 19; ++i) {
                        benchmark::DoNotOptimize(select->Text(i));
                      }
                    }
                  }),
        "read");
  }
}
BENCHMARK(FiftyJobsBare)->Unit(benchmark::kMicrosecond);

void FiftyJobsOfTheCatalog(benchmark::State& state) {
  House& house = HundredThousandJobs();
  CatalogFilter newest;
  newest.limit = 50;
  for (auto _ : state) {
    const auto jobs = house.catalog().ListJobs(house.context(), newest);
    if (!jobs.ok() || jobs->size() != 50) abort();
  }
}
BENCHMARK(FiftyJobsOfTheCatalog)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
