#include "sluice/benchmarks/run_benchmarks.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "sluice/base/clock.h"
#include "sluice/benchmarks/process_memory.h"
#include "sluice/benchmarks/raw_sha256.h"
#include "sluice/benchmarks/run_fixtures.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/testing/fake_job_store.h"

namespace sluice::benchmarks {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

// One service: a job store and an executor over it.
struct Service {
  FakeJobStore jobs;
  Executor executor{&jobs, Clock::Real()};

  // Backs up `bytes` made-up bytes; returns the archive's id.
  std::string Backup(const std::shared_ptr<Destination>& destination,
                     uint64_t bytes, const std::string& store_id = "store",
                     RunBackupOptions options = {}) {
    BackupRepo repo;
    repo.set_id("repo");
    options.allow_empty = true;
    const BackupResult result = executor.RunBackup(
        Context::Background(), std::make_shared<GeneratingStore>(bytes),
        destination, repo, store_id, "generated", options);
    DieUnlessOk(result.status, "backup");
    return result.record->id();
  }

  void Restore(const std::shared_ptr<Destination>& destination,
               const std::string& backup_id) {
    BackupRepo repo;
    repo.set_id("repo");
    RunRestoreOptions options;
    options.from_store_id = "store";
    const RestoreResult result = executor.RunRestore(
        Context::Background(), std::make_shared<GeneratingStore>(0),
        destination, repo, backup_id, options);
    DieUnlessOk(result.status, "restore");
  }
};

template <typename Work>
double SecondsOf(Work work) {
  const double begin = MonotonicSeconds();
  work();
  return MonotonicSeconds() - begin;
}

// A timed backup; what it made is deleted while the clock stands.
double SecondsOfBackup(Service& service,
                       const std::shared_ptr<Destination>& destination,
                       uint64_t bytes) {
  std::string id;
  const double seconds =
      SecondsOf([&] { id = service.Backup(destination, bytes); });
  DieUnlessOk(destination->Delete(Context::Background(), id), "delete");
  return seconds;
}

void BackupBenchmark(benchmark::State& state, const Effort& effort,
                     const std::string& folder, bool hash) {
  const uint64_t bytes = effort.Scale(kGiB);
  const LocalRepo repo(folder);
  Service service;
  const std::shared_ptr<Destination> destination =
      hash ? repo.archives() : MakeUnhashedDestination(repo.place());
  // The place's pages are touched once before the clock runs.
  SecondsOfBackup(service, destination, bytes);
  ComparePairs(
      state, {bytes, effort.pairs()}, [&] { return SecondsOfSha256(bytes); },
      [&] { return SecondsOfBackup(service, destination, bytes); });
}

void RestoreBenchmark(benchmark::State& state, const Effort& effort,
                      const std::string& folder) {
  const uint64_t bytes = effort.Scale(kGiB);
  const LocalRepo repo(folder);
  Service service;
  const std::string id = service.Backup(repo.archives(), bytes);
  service.Restore(repo.archives(), id);
  ComparePairs(
      state, {bytes, effort.pairs()}, [&] { return SecondsOfSha256(bytes); },
      [&] { return SecondsOf([&] { service.Restore(repo.archives(), id); }); });
}

void VerifyBenchmark(benchmark::State& state, const Effort& effort,
                     const std::string& folder) {
  const uint64_t bytes = effort.Scale(kGiB);
  const LocalRepo repo(folder);
  Service service;
  const std::string id = service.Backup(repo.archives(), bytes);
  const auto verify = [&] {
    const auto manifest =
        repo.archives()->Verify(Context::Background(), id, nullptr);
    DieUnlessOk(manifest.status(), "verify");
  };
  verify();
  ComparePairs(
      state, {bytes, effort.pairs()}, [&] { return SecondsOfSha256(bytes); },
      [&] { return SecondsOf(verify); });
}

// Memory of one backup into a place that keeps nothing.
void MemoryBenchmark(benchmark::State& state, uint64_t bytes) {
  const auto archives = MakeArchives(MakeDiscardingPlace());
  Service service;
  for (auto _ : state) {
    const uint64_t bytes_before = BytesAllocated();
    const uint64_t count_before = Allocations();
    const PeakMemory peak;
    const double seconds = SecondsOf([&] { service.Backup(archives, bytes); });
    state.counters["peak_MiB"] = static_cast<double>(peak.Bytes()) / (1 << 20);
    state.counters["new_KiB"] =
        static_cast<double>(BytesAllocated() - bytes_before) / 1024;
    state.counters["news"] = static_cast<double>(Allocations() - count_before);
    state.counters["GiBps"] = static_cast<double>(bytes) / (1 << 30) / seconds;
    state.SetIterationTime(seconds);
  }
}

// Where the time of an empty backup goes: milliseconds from one step to the
// next, the median of many runs.
void EmptyBenchmark(benchmark::State& state, const std::string& folder,
                    int runs) {
  const LocalRepo repo(folder);
  Service service;
  std::map<std::string, std::vector<double>> steps;
  const double begin = MonotonicSeconds();
  for (auto _ : state) {
    for (int i = 0; i < runs; ++i) {
      std::string step = "1_begin_ms";
      double at = MonotonicSeconds();
      const double run_began = at;
      const auto next = [&](const std::string& name) {
        const double now = MonotonicSeconds();
        steps[step].push_back((now - at) * 1e3);
        step = name;
        at = now;
      };
      RunBackupOptions options;
      options.on_progress = [&](const RunProgress& progress) {
        if (progress.stage == "starting") next("2_payload_ms");
        if (progress.stage == "publishing") next("3_publish_ms");
        if (progress.stage == "recording") next("5_record_ms");
      };
      options.before_publish = [&](const BackupJob&) {
        next("4_manifest_ms");
        return absl::OkStatus();
      };
      service.Backup(repo.archives(), 0, "store", options);
      next("");
      steps["total_ms"].push_back((MonotonicSeconds() - run_began) * 1e3);
    }
    state.SetIterationTime(MonotonicSeconds() - begin);
  }
  for (const auto& [name, values] : steps) {
    state.counters[name] = SpreadOf(values).median;
  }
}

// From a cancel in mid-stream until the run has returned, its terminal row in a
// catalog on disk and its temporary objects gone.
void CancelBenchmark(benchmark::State& state, const std::string& folder,
                     int runs) {
  const LocalRepo repo(folder);
  SqliteCatalogOptions catalog_options;
  catalog_options.path = repo.path() + "/catalog.db";
  const auto catalog =
      OpenSqliteCatalog(Context::Background(), catalog_options);
  DieUnlessOk(catalog.status(), "open the catalog");
  const Executor executor(catalog->get(), Clock::Real());
  BackupRepo row;
  row.set_id("repo");
  std::vector<double> milliseconds;
  for (auto _ : state) {
    for (int i = 0; i < runs; ++i) {
      auto [context, cancel] = Context::WithCancel(Context::Background());
      RunBackupOptions options;
      double cancelled_at = 0;
      options.on_progress = [&, cancel = cancel](const RunProgress& progress) {
        if (progress.bytes_done < kGiB / 8 || cancelled_at != 0) return;
        cancelled_at = MonotonicSeconds();
        cancel(absl::CancelledError("enough"));
      };
      const BackupResult result = executor.RunBackup(
          context, std::make_shared<GeneratingStore>(1024 * kGiB),
          repo.archives(), row, "store", "generated", options);
      milliseconds.push_back((MonotonicSeconds() - cancelled_at) * 1e3);
      if (cancelled_at == 0 || result.job->status() != BackupJob::INTERRUPTED) {
        DieUnlessOk(absl::InternalError("not interrupted"), "cancel");
      }
    }
    state.SetIterationTime(1);
  }
  state.counters["p50_ms"] = SpreadOf(milliseconds).median;
  state.counters["max_ms"] = SpreadOf(milliseconds).high;
}

// `runs` backups at once that share `bytes` bytes between them.
void ConcurrentBenchmark(benchmark::State& state, const Effort& effort,
                         const std::string& folder, int runs) {
  const uint64_t bytes = effort.Scale(kGiB);
  const auto run = [&] {
    const LocalRepo repo(folder);
    Service service;
    return SecondsOf([&] {
      std::vector<std::thread> threads;
      for (int i = 0; i < runs; ++i) {
        threads.emplace_back([&, i] {
          service.Backup(repo.archives(), bytes / runs,
                         absl::StrCat("store-", i));
        });
      }
      for (std::thread& thread : threads) thread.join();
    });
  };
  run();
  ComparePairs(
      state, {bytes, effort.pairs()}, [&] { return SecondsOfSha256(bytes); },
      run);
}

void RegisterOn(const Effort& effort, const std::string& name,
                const std::string& folder) {
  Register(absl::StrCat("backup/", name),
           [effort, folder, name](benchmark::State& state) {
             BackupBenchmark(state, effort, folder, true);
             state.SetLabel(name == "tmpfs" ? "of raw SHA-256 (floor 0.90)"
                                            : "of raw SHA-256");
           });
  Register(absl::StrCat("backup/", name, "/no_hash"),
           [effort, folder](benchmark::State& state) {
             BackupBenchmark(state, effort, folder, false);
             state.SetLabel("of raw SHA-256");
           });
  const int empty_runs = effort.brief ? 5 : 51;
  Register(absl::StrCat("backup/", name, "/empty"),
           [folder, empty_runs](benchmark::State& state) {
             EmptyBenchmark(state, folder, empty_runs);
           });
  const int cancel_runs = effort.brief ? 3 : 21;
  Register(absl::StrCat("cancel/", name),
           [folder, cancel_runs](benchmark::State& state) {
             CancelBenchmark(state, folder, cancel_runs);
             state.SetLabel("to the terminal row (floor 100 ms)");
           });
}

}  // namespace

void RegisterRunBenchmarks(const Effort& effort, const RunFolders& folders) {
  RegisterOn(effort, "tmpfs", folders.memory);
  RegisterOn(effort, "disk", folders.disk);
  Register("restore/tmpfs", [effort, folders](benchmark::State& state) {
    RestoreBenchmark(state, effort, folders.memory);
    state.SetLabel("of raw SHA-256 (floor 0.85)");
  });
  Register("verify/tmpfs", [effort, folders](benchmark::State& state) {
    VerifyBenchmark(state, effort, folders.memory);
    state.SetLabel("of raw SHA-256 (floor 0.95)");
  });
  for (const uint64_t gib : {1, 8}) {
    const uint64_t bytes = effort.Scale(gib * kGiB);
    Register(absl::StrCat("memory/", bytes >> 20, "MiB"),
             [bytes](benchmark::State& state) {
               MemoryBenchmark(state, bytes);
               state.SetLabel("(floor 32 MiB, alike)");
             });
  }
  for (const int runs : {1, 16, 256}) {
    Register(absl::StrCat("concurrent/", runs),
             [effort, folders, runs](benchmark::State& state) {
               ConcurrentBenchmark(state, effort, folders.memory, runs);
               state.SetLabel("all together, of one raw SHA-256");
             });
  }
}

}  // namespace sluice::benchmarks
