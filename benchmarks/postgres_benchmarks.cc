#include "sluice/benchmarks/postgres_benchmarks.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/substitute.h"
#include "absl/types/optional.h"
#include "benchmark/benchmark.h"
#include "sluice/benchmarks/child_process.h"
#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::benchmarks {
namespace {

namespace fs = std::filesystem;
using postgres::TestServer;

constexpr int kJobs = 2;

// What applications keep, in tables of some 100 to 250 MiB at a scale of 1,
// with the keys and indexes that they have; $0 is a thousandth of the scale.
constexpr absl::string_view kTables = R"(
CREATE EXTENSION IF NOT EXISTS pgcrypto;
SELECT setseed(0.5);
CREATE TABLE orders AS SELECT i::bigint AS id, gen_random_uuid() AS reference,
  timestamptz '2026-01-01' + i * interval '7 s' AS created,
  timestamptz '2026-01-02' + i * interval '9 s' AS shipped,
  (i % 90000) * 1.25 AS amount, (i % 50000)::int AS customer,
  (ARRAY['new', 'paid', 'sent', 'done'])[i % 4 + 1] AS state
  FROM generate_series(1, 1800 * $0) i;
CREATE TABLE readings AS SELECT (i % 2000)::int AS sensor,
  timestamptz '2026-01-01' + i * interval '1 s' AS at, random() AS value,
  random()::real AS deviation FROM generate_series(1, 2500 * $0) i;
CREATE TABLE accounts AS SELECT i AS id, (i % 100)::int AS branch,
  0 AS balance, repeat(' ', 84)::char(84) AS filler
  FROM generate_series(1, 1000 * $0) i;
CREATE TABLE documents AS SELECT i AS id, jsonb_build_object('id', i, 'name',
  md5(i::text), 'tags', ARRAY[i, i + 1], 'at', now(), 'body', jsonb_build_object(
  'score', random(), 'text', repeat(md5(i::text), 4))) AS document
  FROM generate_series(1, 400 * $0) i;
CREATE TABLE articles AS SELECT i AS id, string_agg(md5((i * 100 + j)::text), ' ')
  AS body FROM generate_series(1, 80 * $0) i, generate_series(1, 40) j GROUP BY i;
CREATE TABLE files AS SELECT i AS id, (SELECT string_agg(gen_random_bytes(1024),
  '') FROM generate_series(1, 64) j WHERE i > 0) AS content
  FROM generate_series(1, 3 * $0) i;
ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE INDEX ON orders (customer);
ALTER TABLE accounts ADD PRIMARY KEY (id);
ALTER TABLE documents ADD PRIMARY KEY (id);
ALTER TABLE articles ADD PRIMARY KEY (id);
ALTER TABLE files ADD PRIMARY KEY (id);
CREATE INDEX ON readings (sensor, at);
VACUUM ANALYZE;
)";

// Beside pgbench's own tables: short rows of what is not text, which cost a
// server and a client more than their bytes. At a scale of 1, with pgbench's of
// 30, 600 MB in all.
constexpr absl::string_view kEvents = R"(
SELECT setseed(0.5);
CREATE TABLE events AS SELECT i::bigint AS id, gen_random_uuid() AS reference,
  timestamptz '2026-01-01' + i * interval '7 s' AS at, (i * 1.25)::numeric AS amount
  FROM generate_series(1, 2000 * $0) i;
VACUUM ANALYZE;
)";

enum class Data { kMixed, kShortRows };

// A folder that goes at the end.
class Folder {
 public:
  explicit Folder(const std::string& parent)
      : path_(absl::StrCat(parent, "/sluice-bench-XXXXXX")) {
    if (mkdtemp(path_.data()) == nullptr) {
      DieUnlessOk(absl::UnavailableError("mkdtemp"), path_);
    }
  }
  ~Folder() { Remove(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // The path of a thing that was not there before, or is no longer.
  std::string Fresh(const std::string& name) const {
    const std::string path = absl::StrCat(path_, "/", name);
    Remove(path);
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  static void Remove(const std::string& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }

  std::string path_;
};

// A server with a database of ours, and what runs against it.
class Workshop {
 public:
  Workshop(const PostgresPlaces& places, int thousands, Data data)
      : server_({.settings = {"shared_buffers = 512MB", "max_wal_size = 16GB",
                              "autovacuum = off"}}),
        folder_(places.folder),
        large_folder_(places.large_folder),
        command_(places.command) {
    if (command_.empty()) {
      const fs::path self = fs::read_symlink("/proc/self/exe");
      command_ = self.parent_path().parent_path() / "cli/dist/sluice";
    }
    database_ = server_.CreateDatabase();
    if (data == Data::kMixed) {
      server_.Psql(database_, absl::Substitute(kTables, thousands));
    } else {
      server_.Tool(
          "pgbench", database_,
          {"-i", "-q", "-s", absl::StrCat(std::max(1, thousands * 30 / 1000))});
      server_.Psql(database_, absl::Substitute(kEvents, thousands));
    }
  }

  const std::string& database() const { return database_; }
  Folder& folder() { return folder_; }
  Folder& large_folder() { return large_folder_; }
  // Processor seconds of the server and of its sessions, which have ended, once
  // it has waited for those.
  double ServerCpuSeconds() {
    const std::string process = absl::StrCat("/proc/", server_.pid());
    while (HasSessions(process)) {
    }
    // After the name, which may hold anything: fields 14 to 17 are user and
    // system time, its own and its children's.
    const std::string stat = ReadLine(process + "/stat");
    const std::vector<std::string> fields =
        absl::StrSplit(stat.substr(stat.rfind(')') + 2), ' ');
    double ticks = 0;
    for (size_t i = 11; i < 15; ++i) ticks += std::stod(fields.at(i));
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  uint64_t Bytes() {
    return std::stoull(server_.Query(
        database_,
        "SELECT sum(pg_table_size(c.oid)) FROM pg_class c WHERE "
        "relnamespace = 'public'::regnamespace AND relkind = 'r'"));
  }

  ProcessCost Dump(const std::vector<std::string>& options) {
    std::vector<std::string> command = {"pg_dump", "-Z0",
                                        "-d",      Conninfo(database_),
                                        "-f",      folder_.Fresh("dump")};
    command.insert(command.end(), options.begin(), options.end());
    return RunProcess(command);
  }
  ProcessCost DumpFolder() { return Dump({"-Fd", absl::StrCat("-j", kJobs)}); }
  // Into a repo of its own.
  ProcessCost Backup(const std::string& database, Folder& folder) {
    fs::create_directory(folder.Fresh("own"));
    return RunProcess({command_, "backup", Target(database), "--repo",
                       Repo(folder), "--init", "--catalog", Catalog(folder),
                       "--no-progress"});
  }
  // Every table, the largest first, by as many sessions as there are jobs.
  ProcessCost CopyOut(absl::string_view format) {
    return RunProcess(
        {"sh", "-c",
         "psql -XAtq -d \"$1\" -c \"$2\" | xargs -P \"$3\" -I '{}' psql -Xq -d "
         "\"$1\" -c \"COPY {} TO STDOUT (FORMAT $4)\" > /dev/null",
         "sh", Conninfo(database_),
         "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
         "'public'::regnamespace ORDER BY pg_table_size(oid) DESC",
         absl::StrCat(kJobs), std::string(format)});
  }
  // What the plugin does of a backup, and no more: into nothing.
  double ReadAll() {
    postgres::BackupOptions options;
    options.connection = server_.Options(database_);
    options.jobs = kJobs;
    sdk::FakeSink sink(1 << 20, /*keep=*/false);
    const double began = MonotonicSeconds();
    DieUnlessOk(postgres::BackupDatabase(sdk::Run(), options, sink), "backup");
    return MonotonicSeconds() - began;
  }

  ProcessCost RestoreDump() {
    const std::string target = server_.CreateDatabase("TEMPLATE template0");
    const ProcessCost cost =
        RunProcess({"pg_restore", absl::StrCat("-j", kJobs), "-d",
                    Conninfo(target), folder_.path() + "/dump"});
    Drop(target);
    return cost;
  }
  ProcessCost Restore(const Folder& folder) {
    const std::string target = server_.CreateDatabase("TEMPLATE template0");
    const ProcessCost cost = RunProcess(
        {command_, "restore", "latest", "--repo", Repo(folder), "--to",
         Target(target), "--catalog", Catalog(folder), "--no-progress"});
    Drop(target);
    return cost;
  }

  // A copy of the database whose largest tables hold their rows `times` times.
  std::string Multiplied(int times) {
    const std::string copy = server_.CreateDatabase("TEMPLATE " + database_);
    for (const absl::string_view table : {"readings", "articles", "files"}) {
      std::string sql;
      if (table != "readings") {
        sql = absl::StrCat("ALTER TABLE ", table, " DROP CONSTRAINT ", table,
                           "_pkey;");
      }
      server_.Exec(copy, absl::StrCat(sql, "CREATE TEMP TABLE c AS TABLE ",
                                      table, "; INSERT INTO ", table,
                                      " SELECT c.* FROM c, generate_series(2, ",
                                      times, ")"));
    }
    return copy;
  }
  void Drop(const std::string& database) {
    server_.Exec("postgres", absl::StrCat("DROP DATABASE ", database));
  }

 private:
  static std::string ReadLine(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
  }
  // Those that serve a socket, and what has ended without being waited for.
  bool HasSessions(const std::string& process) const {
    const std::string children =
        ReadLine(absl::StrCat(process, "/task/", server_.pid(), "/children"));
    for (const absl::string_view child :
         absl::StrSplit(children, ' ', absl::SkipEmpty())) {
      const std::string title =
          ReadLine(absl::StrCat("/proc/", child, "/cmdline"));
      if (title.empty() || absl::StrContains(title, "[local]")) return true;
    }
    return false;
  }
  std::string Conninfo(const std::string& database) const {
    return absl::StrCat("host=", server_.folder(), " port=", server_.port(),
                        " user=postgres dbname=", database);
  }
  std::string Target(const std::string& database) const {
    return absl::StrCat(server_.Uri(database), "&jobs=", kJobs);
  }
  // Beside its repo, and gone with it: a catalog that outlives a repo refuses
  // to make another in its stead.
  static std::string Repo(const Folder& folder) {
    return absl::StrCat("local:", folder.path(), "/own/repo");
  }
  static std::string Catalog(const Folder& folder) {
    return absl::StrCat("sqlite:", folder.path(), "/own/catalog.db");
  }

  TestServer server_;
  Folder folder_;
  Folder large_folder_;
  std::string command_;
  std::string database_;
};

// Made with the first case that runs.
class LazyWorkshop {
 public:
  LazyWorkshop(PostgresPlaces places, int thousands, Data data)
      : places_(std::move(places)), thousands_(thousands), data_(data) {}
  Workshop& operator*() {
    if (!workshop_.has_value()) workshop_.emplace(places_, thousands_, data_);
    return *workshop_;
  }

 private:
  const PostgresPlaces places_;
  const int thousands_;
  const Data data_;
  absl::optional<Workshop> workshop_;
};

// Runs `run`, and adds to `cpu_seconds` what it and the server took.
template <typename Run>
double Measure(Workshop& workshop, Run run, std::vector<double>* cpu_seconds) {
  const double before = workshop.ServerCpuSeconds();
  const ProcessCost cost = run(workshop);
  cpu_seconds->push_back(cost.cpu_seconds + workshop.ServerCpuSeconds() -
                         before);
  return cost.seconds;
}

double MiB(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// The peaks of a backup and of its restore.
void MemoryBenchmark(benchmark::State& state, Workshop& workshop, int times) {
  const std::string database =
      times == 1 ? workshop.database() : workshop.Multiplied(times);
  for (auto _ : state) {
    const ProcessCost backup =
        workshop.Backup(database, workshop.large_folder());
    const ProcessCost restore = workshop.Restore(workshop.large_folder());
    state.SetIterationTime(backup.seconds + restore.seconds);
    state.counters["backup_MiB"] = MiB(backup.peak_bytes);
    state.counters["restore_MiB"] = MiB(restore.peak_bytes);
    uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(
             workshop.large_folder().path() + "/own/repo")) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    state.counters["archive_MiB"] = MiB(bytes);
  }
  workshop.large_folder().Fresh("own");
  if (times > 1) workshop.Drop(database);
}

template <typename Function>
void Register(const std::string& name, const std::string& label, Function run) {
  RegisterCase("postgres/" + name, label, std::move(run));
}

}  // namespace

void RegisterPostgresBenchmarks(const Effort& effort, PostgresPlaces places) {
  // Some 1 GiB, or 32 MiB.
  const int thousands = effort.brief ? 30 : 1000;
  const auto shop =
      std::make_shared<LazyWorkshop>(places, thousands, Data::kMixed);
  const auto short_rows =
      std::make_shared<LazyWorkshop>(places, thousands, Data::kShortRows);
  const auto compare = [effort](const std::shared_ptr<LazyWorkshop>& where,
                                const std::string& name,
                                const std::string& label, auto reference,
                                auto subject) {
    Register(name, label, [=](benchmark::State& state) {
      Workshop& workshop = **where;
      reference(workshop);  // and what the subject reads is in the page cache
      subject(workshop);
      ComparePairs(
          state, {workshop.Bytes(), effort.pairs()},
          [&] { return reference(workshop); },
          [&] { return subject(workshop); });
    });
  };
  // The same, and what processors they took: of a machine that others use,
  // too, that says more.
  const auto compare_costs =
      [effort](const std::shared_ptr<LazyWorkshop>& where,
               const std::string& name, const std::string& label,
               auto reference, auto subject) {
        Register(name, label, [=](benchmark::State& state) {
          Workshop& workshop = **where;
          reference(workshop);
          subject(workshop);
          std::vector<double> theirs, ours;
          ComparePairs(
              state, {workshop.Bytes(), effort.pairs()},
              [&] { return Measure(workshop, reference, &theirs); },
              [&] { return Measure(workshop, subject, &ours); });
          state.counters["cpu_s"] = SpreadOf(ours).median;
          state.counters["reference_cpu_s"] = SpreadOf(theirs).median;
        });
      };
  const auto backup = [](Workshop& workshop) {
    return workshop.Backup(workshop.database(), workshop.folder());
  };
  const auto read = [](Workshop& workshop) { return workshop.ReadAll(); };
  const auto folder = [](Workshop& workshop) { return workshop.DumpFolder(); };
  const auto custom = [](Workshop& workshop) { return workshop.Dump({"-Fc"}); };
  compare_costs(shop, "backup/folder", "of `pg_dump -Fd -j2 -Z0` (floor 1.2)",
                folder, backup);
  compare_costs(shop, "backup/custom", "of `pg_dump -Fc -Z0` (floor 1.5)",
                custom, backup);
  compare_costs(short_rows, "backup/folder/short_rows",
                "of `pg_dump -Fd -j2 -Z0` (floor 1.2)", folder, backup);
  compare_costs(short_rows, "backup/custom/short_rows",
                "of `pg_dump -Fc -Z0` (floor 1.5)", custom, backup);
  compare(
      shop, "read/text",
      "of 2 parallel COPY TO STDOUT into nothing (floor 0.95)",
      [](Workshop& workshop) { return workshop.CopyOut("text").seconds; },
      read);
  compare(
      shop, "read/binary", "of the same in binary (floor 0.95)",
      [](Workshop& workshop) { return workshop.CopyOut("binary").seconds; },
      read);
  Register("restore", "of `pg_restore -j2` (floor 1.2)",
           [=](benchmark::State& state) {
             Workshop& workshop = **shop;
             workshop.DumpFolder();
             backup(workshop);
             std::vector<double> shares;
             ComparePairs(
                 state, {workshop.Bytes(), effort.pairs()},
                 [&] { return workshop.RestoreDump().seconds; },
                 [&] {
                   const ProcessCost cost = workshop.Restore(workshop.folder());
                   shares.push_back(cost.cpu_seconds / cost.seconds / kJobs);
                   return cost.seconds;
                 });
             state.counters["our_share_of_cpu"] = SpreadOf(shares).median;
             workshop.folder().Fresh("dump");
             workshop.folder().Fresh("own");
           });
  for (const int times : {1, 16}) {
    if (effort.brief && times > 1) break;
    Register(absl::StrCat("memory/", times == 1 ? "small" : "large"),
             "(floor 64 MiB and twice the largest row, alike)",
             [=](benchmark::State& state) {
               MemoryBenchmark(state, **shop, times);
             });
  }
}

}  // namespace sluice::benchmarks
