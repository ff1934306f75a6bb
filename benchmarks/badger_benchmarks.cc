#include "sluice/benchmarks/badger_benchmarks.h"

#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "sluice/benchmarks/child_process.h"
#include "sluice/benchmarks/write_gaps.h"

namespace sluice::benchmarks {
namespace {

namespace fs = std::filesystem;

// What `badger benchmark write` is asked for.
struct Shape {
  uint64_t keys = 0;
  int value_bytes = 128;  // the tool's own choice

  bool operator<(const Shape& other) const {
    return std::pair(keys, value_bytes) <
           std::pair(other.keys, other.value_bytes);
  }
  // With the tool's keys of 32 bytes.
  uint64_t plain_bytes() const { return keys * (32 + value_bytes); }
};

// A folder with the databases, each made once; gone at the end.
class Workshop {
 public:
  explicit Workshop(const BadgerPlaces& places) : command_(places.command) {
    root_ = absl::StrCat(places.folder, "/sluice-bench-XXXXXX");
    if (mkdtemp(root_.data()) == nullptr) {
      DieUnlessOk(absl::UnavailableError("mkdtemp"), root_);
    }
    if (command_.empty()) {
      const fs::path self = fs::read_symlink("/proc/self/exe");
      command_ = self.parent_path().parent_path() / "cli/dist/sluice";
    }
    setenv("TMPDIR", root_.c_str(), 1);  // where live backups copy to
  }
  ~Workshop() { Remove(root_); }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  std::string Database(const Shape& shape) {
    std::string& path = databases_[shape];
    if (path.empty()) {
      path = absl::StrCat(root_, "/db-", databases_.size());
      RunProcess({"badger", "benchmark", "write", "--keys-mil",
                  absl::StrCat(static_cast<double>(shape.keys) / 1e6),
                  "--val-size", absl::StrCat(shape.value_bytes), "--dir",
                  path});
    }
    return path;
  }

  ProcessCost ToolBackup(const std::string& database) {
    return RunProcess(
        {"badger", "backup", "--dir", database, "-f", Fresh("tool.bak")});
  }
  // Into a repo of its own.
  ProcessCost Backup(const std::string& database, const std::string& query) {
    Fresh("own");
    return BackupInto("own", database, query);
  }
  // What is new since the last backup into that.
  ProcessCost Increment(const std::string& database, const std::string& query) {
    return BackupInto("own", database, query, {"--base", "latest"});
  }
  // Into the one that is there after the first.
  ProcessCost BackupAgain(const std::string& database) {
    return BackupInto("bank-place", database, "");
  }
  ProcessCost ToolRestore() {
    return RunProcess({"badger", "restore", "--dir", Fresh("tool-restored"),
                       "-f", root_ + "/tool.bak"});
  }
  ProcessCost Restore() {
    return RunProcess({command_, "restore", "latest", "--repo", Repo("own"),
                       "--to",
                       absl::StrCat("badger:", Fresh("restored"), "?format=7"),
                       "--catalog", Catalog("own"), "--no-progress"});
  }
  ProcessCost Cat(const std::string& database) {
    std::vector<std::string> command = {"cat"};
    for (const auto& entry : fs::directory_iterator(database)) {
      command.push_back(entry.path());
    }
    command.insert(command.begin(), {"sh", "-c", "\"$@\" > /dev/null", "sh"});
    return RunProcess(command);
  }

  // The path of a thing that was not there before, or is no longer.
  std::string Fresh(const std::string& name) {
    const std::string path = absl::StrCat(root_, "/", name);
    Remove(path);
    return path;
  }

 private:
  static void Remove(const std::string& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  // A place is a folder with a repo and a catalog: one that outlives the repo
  // refuses to make another in its stead.
  std::string Repo(const std::string& place) const {
    return absl::StrCat("local:", root_, "/", place, "/repo");
  }
  std::string Catalog(const std::string& place) const {
    return absl::StrCat("sqlite:", root_, "/", place, "/catalog.db");
  }
  ProcessCost BackupInto(const std::string& place, const std::string& database,
                         const std::string& query,
                         const std::vector<std::string>& more = {}) {
    fs::create_directory(absl::StrCat(root_, "/", place));
    std::vector<std::string> command = {
        command_,    "backup",       absl::StrCat("badger:", database, query),
        "--repo",    Repo(place),    "--init",
        "--catalog", Catalog(place), "--no-progress"};
    command.insert(command.end(), more.begin(), more.end());
    return RunProcess(command);
  }

  std::string command_;
  std::string root_;
  std::map<Shape, std::string> databases_;
};

// What several runs of one command took.
class Costs {
 public:
  // Its seconds.
  double Add(const ProcessCost& cost) {
    peak_bytes_ = std::max(peak_bytes_, cost.peak_bytes);
    seconds_.push_back(cost.seconds);
    cpu_seconds_.push_back(cost.cpu_seconds);
    return cost.seconds;
  }
  double seconds() const { return SpreadOf(seconds_).median; }
  // These hardly depend on what else runs.
  double cpu_seconds() const { return SpreadOf(cpu_seconds_).median; }
  double MiB() const { return static_cast<double>(peak_bytes_) / (1 << 20); }

 private:
  uint64_t peak_bytes_ = 0;
  std::vector<double> seconds_;
  std::vector<double> cpu_seconds_;
};

void CountBoth(benchmark::State& state, const Costs& ours, const Costs& tool) {
  state.counters["MiB"] = ours.MiB();
  state.counters["badger_MiB"] = tool.MiB();
  state.counters["cpu_s"] = ours.cpu_seconds();
  state.counters["badger_cpu_s"] = tool.cpu_seconds();
}

void BackupBenchmark(benchmark::State& state, const Effort& effort,
                     Workshop& workshop, const Shape& shape,
                     const std::string& query) {
  const std::string database = workshop.Database(shape);
  Costs ours, tool;
  workshop.Backup(database, query);
  ComparePairs(
      state, {shape.plain_bytes(), effort.pairs()},
      [&] { return tool.Add(workshop.ToolBackup(database)); },
      [&] { return ours.Add(workshop.Backup(database, query)); });
  state.counters["of_cat"] = workshop.Cat(database).seconds / ours.seconds();
  CountBoth(state, ours, tool);
}

// A second backup of what nobody has changed, with the one before as its base.
void IncrementBenchmark(benchmark::State& state, const Effort& effort,
                        Workshop& workshop, const Shape& shape) {
  const std::string database = workshop.Database(shape);
  const std::string query = "?mode=offline";
  Costs ours, tool;
  workshop.Backup(database, query);
  ComparePairs(
      state, {shape.plain_bytes(), effort.pairs()},
      [&] { return tool.Add(workshop.ToolBackup(database)); },
      [&] { return ours.Add(workshop.Increment(database, query)); });
  CountBoth(state, ours, tool);
}

void RestoreBenchmark(benchmark::State& state, const Effort& effort,
                      Workshop& workshop, const Shape& shape) {
  const std::string database = workshop.Database(shape);
  workshop.ToolBackup(database);
  workshop.Backup(database, "?mode=offline");
  Costs ours, tool;
  workshop.Restore();
  ComparePairs(
      state, {shape.plain_bytes(), effort.pairs()},
      [&] { return tool.Add(workshop.ToolRestore()); },
      [&] { return ours.Add(workshop.Restore()); });
  CountBoth(state, ours, tool);
}

// The peaks of a live backup and of its restore, without the tool.
void MemoryBenchmark(benchmark::State& state, Workshop& workshop,
                     const Shape& shape) {
  const std::string database = workshop.Database(shape);
  for (auto _ : state) {
    const ProcessCost backup = workshop.Backup(database, "");
    const ProcessCost restore = workshop.Restore();
    workshop.Fresh("restored");
    state.SetIterationTime(backup.seconds + restore.seconds);
    Costs backups, restores;
    backups.Add(backup);
    restores.Add(restore);
    state.counters["backup_MiB"] = backups.MiB();
    state.counters["restore_MiB"] = restores.MiB();
  }
}

// A writer with live backups, one after the other, beside it, and without. The
// gaps between two writes of its log are what its transactions wait for.
void WriterBenchmark(benchmark::State& state, const Effort& effort,
                     Workshop& workshop) {
  const double seconds = effort.brief ? 0.5 : 5;
  const std::string database = workshop.Fresh("bank");
  fs::create_directory(database);
  WriteGaps gaps(database);
  ChildProcess bank(
      {"badger", "bank", "test", "--duration", "1h", "--dir", database});
  gaps.Gather(seconds);  // the accounts are being made
  std::vector<double> alone, beside;
  uint64_t backups = 0;
  for (auto _ : state) {
    for (int pair = 0; pair < effort.pairs(); ++pair) {
      const auto with_us = [&] {
        beside.push_back(Percentile(gaps.GatherWhile(seconds,
                                                     [&] {
                                                       workshop.BackupAgain(
                                                           database);
                                                       ++backups;
                                                     }),
                                    0.99));
      };
      if (pair % 2 == 1) with_us();
      alone.push_back(Percentile(gaps.Gather(seconds), 0.99));
      if (pair % 2 == 0) with_us();
    }
    state.SetIterationTime(1);
  }
  std::vector<double> ratios;
  for (size_t i = 0; i < alone.size(); ++i) {
    ratios.push_back(beside[i] / alone[i]);
  }
  const Spread ratio = SpreadOf(ratios);
  state.counters["ratio"] = ratio.median;
  state.counters["low"] = ratio.low;
  state.counters["high"] = ratio.high;
  state.counters["p99_ms"] = SpreadOf(beside).median * 1e3;
  state.counters["alone_p99_ms"] = SpreadOf(alone).median * 1e3;
  state.counters["backups"] = static_cast<double>(backups);
}

template <typename Function>
void Register(const std::string& name, const std::string& label, Function run) {
  RegisterCase("badger/" + name, label, std::move(run));
}

}  // namespace

void RegisterBadgerBenchmarks(const Effort& effort, BadgerPlaces places) {
  const auto shop = std::make_shared<Workshop>(places);
  const uint64_t scale = effort.brief ? 50 : 1;
  const Shape small_values = {6000000 / scale, 128};
  std::vector<Shape> shapes = {small_values};
  if (!effort.brief) shapes.push_back({1000000, 1024});
  for (const auto& [name, query] : std::map<std::string, std::string>{
           {"backup", "?mode=offline"}, {"backup/live", ""}}) {
    std::vector<Shape> backed_up = shapes;
    if (!effort.brief) backed_up.push_back({250000, 4096});
    for (const Shape& shape : backed_up) {
      Register(absl::StrCat(name, "/", shape.value_bytes),
               "of `badger backup` (floor 5 at 128, 2 at 4096)",
               [=, query = query](benchmark::State& state) {
                 BackupBenchmark(state, effort, *shop, shape, query);
               });
    }
  }
  const Shape half = {small_values.keys / 2, small_values.value_bytes};
  Register("increment/full", "of `badger backup`: with its index",
           [=](benchmark::State& state) {
             BackupBenchmark(state, effort, *shop, half, "?mode=offline");
           });
  Register("increment/empty", "of `badger backup`: nothing is new",
           [=](benchmark::State& state) {
             IncrementBenchmark(state, effort, *shop, half);
           });
  for (const Shape& shape : shapes) {
    Register(absl::StrCat("restore/", shape.value_bytes),
             "of `badger restore` (floor 5, 256 MiB)",
             [=](benchmark::State& state) {
               RestoreBenchmark(state, effort, *shop, shape);
             });
  }
  for (const uint64_t gib :
       effort.brief ? std::vector<uint64_t>{1} : std::vector<uint64_t>{1, 4}) {
    const Shape shape = {3000000 * gib / scale, 128};
    Register(absl::StrCat("memory/", gib * 1024 / scale, "MiB"),
             "(floors 128 and 256 MiB, alike)", [=](benchmark::State& state) {
               MemoryBenchmark(state, *shop, shape);
             });
  }
  Register(
      "writer", "p99 of a writer without us (floor: up to 1.5)",
      [=](benchmark::State& state) { WriterBenchmark(state, effort, *shop); });
}

}  // namespace sluice::benchmarks
