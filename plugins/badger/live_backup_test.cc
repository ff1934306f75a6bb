// Backups of databases that Badger's own command-line tool, version 2.2007, has
// open and writes.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/fault_file_system.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/backup_stream_reader.h"
#include "sluice/plugins/badger/collecting_sink.h"
#include "sluice/plugins/badger/fake_payload.h"
#include "sluice/plugins/badger/fixture.h"
#include "sluice/plugins/badger/image.h"
#include "sluice/plugins/badger/manifest.h"
#include "sluice/plugins/badger/source.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/badger/stream_entry.h"
#include "sluice/plugins/badger/whole_records.h"

namespace sluice {
namespace badger {
namespace {

constexpr int64_t kBankTotal = 1000000;  // 10,000 accounts of 100

// A child process that is killed at the end.
class Child {
 public:
  explicit Child(std::vector<std::string> command, const std::string& log) {
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  ~Child() { Kill(); }

  bool IsRunning() {
    if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
    return !ended_;
  }
  // Its wait status.
  int Wait() {
    if (!ended_ && waitpid(pid_, &status_, 0) == pid_) ended_ = true;
    return status_;
  }
  void Kill() {
    if (ended_) return;
    kill(pid_, SIGKILL);
    Wait();
  }

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

class LiveBackupTest : public testing::Test {
 protected:
  LiveBackupTest() {
    std::string root = testing::TempDir() + "/live-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    std::filesystem::create_directory(root_ + "/scratch");
    options_.folder = root_ + "/db";
    options_.scratch = root_ + "/scratch";
    options_.restore_format = DiskFormat::kBadger2;
  }
  ~LiveBackupTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  absl::Status Backup(CollectingSink& sink) const {
    const sdk::BackupRequest request;
    const absl::Status status =
        MakeBadgerSource(options_)->Backup(sdk::Run(), request, sink);
    EXPECT_TRUE(std::filesystem::is_empty(options_.scratch));
    return status;
  }

  // A backup of a database that is being made may find none; then again.
  bool BackupOnce(Child& writer, CollectingSink& sink) const {
    while (writer.IsRunning()) {
      sink = CollectingSink();
      const absl::Status status = Backup(sink);
      if (status.ok()) return true;
      EXPECT_TRUE(ErrorCodeOf(status) == kSourceUnavailable ||
                  ErrorCodeOf(status) == kSourceEmpty)
          << status;
      if (testing::Test::HasFailure()) return false;
    }
    return false;
  }

  // So many backups of a running bank, each of one state. Returns how many
  // transactions the last one holds.
  uint64_t ExpectConsistentBackups(Child& bank, int wanted,
                                   CollectingSink& sink) const;

  std::vector<std::string> TableNames() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.folder, ignored)) {
      if (entry.path().extension() == ".sst") {
        names.push_back(entry.path().filename());
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  int Run(const std::string& command) const {
    return system(absl::StrCat(command, " > ", root_, "/log 2>&1").c_str());
  }

  SourceOptions options_;
  std::string root_;
};

// The sum of all accounts after each transaction that is in the stream.
std::vector<int64_t> TotalsOfHistory(const std::string& stream) {
  std::map<uint64_t, std::map<std::string, int64_t>> transactions;
  for (const OwnedEntry& entry : EntriesOf(stream)) {
    int64_t balance = -1;
    EXPECT_TRUE(absl::SimpleAtoi(entry.value, &balance)) << entry.key;
    transactions[entry.version][entry.key] = balance;
  }
  std::vector<int64_t> totals;
  std::map<std::string, int64_t> accounts;
  int64_t total = 0;
  for (const auto& transaction : transactions) {
    for (const auto& [key, balance] : transaction.second) {
      total += balance - accounts[key];
      accounts[key] = balance;
    }
    if (accounts.size() == 10000) totals.push_back(total);
  }
  return totals;
}

// Keeps of a stream the versions only.
class VersionSink final : public CollectingSink {
 public:
  absl::Status Write(absl::string_view bytes) override {
    return reader_.Feed(bytes);
  }
  // Ascending.
  std::vector<uint64_t> Versions() {
    EXPECT_TRUE(reader_.Finish().ok());
    std::sort(versions_.begin(), versions_.end());
    return versions_;
  }

 private:
  std::vector<uint64_t> versions_;
  BackupStreamReader reader_{[this](const StreamEntry& entry) {
    versions_.push_back(entry.version);
    return absl::OkStatus();
  }};
};

// Of all entries, ascending.
std::vector<uint64_t> VersionsOf(absl::string_view stream) {
  VersionSink sink;
  EXPECT_TRUE(sink.Write(stream).ok());
  return sink.Versions();
}

uint64_t LiveBackupTest::ExpectConsistentBackups(Child& bank, int wanted,
                                                 CollectingSink& sink) const {
  uint64_t last = 0;
  int backups = 0;
  while (backups < wanted && !HasFailure() && BackupOnce(bank, sink)) {
    const std::vector<int64_t> totals = TotalsOfHistory(sink.payload);
    if (totals.empty()) continue;  // the accounts are being made
    ++backups;
    // A transfer that was torn would make or lose money.
    EXPECT_EQ(std::count(totals.begin(), totals.end(), kBankTotal),
              static_cast<int64_t>(totals.size()));
    EXPECT_EQ(sink.counts.at("keys"), 10000u);
    EXPECT_TRUE(sink.warnings.empty()) << sink.warnings.front();
    EXPECT_GE(totals.size(), last) << "an older state than the one before";
    last = totals.size();
  }
  EXPECT_EQ(backups, wanted) << ReadBytes(root_ + "/bank.log");
  std::cout << backups << " backups, " << last << " transactions\n";
  return last;
}

// How many of a bank: SLUICE_LIVE_BACKUPS=1000 where there is time for them.
int BackupsOfABank() {
  int count = 0;
  const char* wanted = getenv("SLUICE_LIVE_BACKUPS");
  return wanted != nullptr && absl::SimpleAtoi(wanted, &count) ? count : 100;
}

TEST_F(LiveBackupTest, OfABankHoldsAllOfItsMoneyAtEachTransaction) {
  Child bank({"badger", "bank", "test", "-d", "1h", "--dir", options_.folder},
             root_ + "/bank.log");
  CollectingSink sink;
  const uint64_t transactions =
      ExpectConsistentBackups(bank, BackupsOfABank(), sink);
  EXPECT_GT(transactions, 100u);
  EXPECT_TRUE(bank.IsRunning()) << ReadBytes(root_ + "/bank.log");
  bank.Kill();

  // What was streamed last is what both tools restore.
  WriteBytes(root_ + "/payload", sink.payload);
  ASSERT_EQ(Run(absl::StrCat("badger restore --dir ", root_, "/by-tool -f ",
                             root_, "/payload")),
            0)
      << ReadBytes(root_ + "/log");
  ImageOptions by_tool;
  by_tool.folder = root_ + "/by-tool";
  const auto listed = List(by_tool);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->live.size(), 10000u);
  EXPECT_EQ(listed->versions.size(), sink.counts.at("versions"));
}

// Memtables are flushed, tables compacted and deleted meanwhile. Versions are
// given in the order of commits and no key is written twice, so a consistent
// state is exactly what the end holds up to some version.
TEST_F(LiveBackupTest, OfAStoreThatFlushesIsAPrefixOfItsHistory) {
  Child writer({"badger", "benchmark", "write", "-m", "0.2", "--val-size",
                "600", "--dir", options_.folder},
               root_ + "/write.log");
  std::vector<std::vector<uint64_t>> backups;
  int with_changed_tables = 0;
  CollectingSink sink;
  std::vector<std::string> before = TableNames();
  while (BackupOnce(writer, sink)) {
    const std::vector<std::string> after = TableNames();
    with_changed_tables += before == after ? 0 : 1;
    backups.push_back(VersionsOf(sink.payload));
    before = TableNames();
  }
  EXPECT_EQ(writer.Wait(), 0) << ReadBytes(root_ + "/write.log");
  sink = CollectingSink();
  ASSERT_TRUE(Backup(sink).ok());
  const std::vector<uint64_t> all = VersionsOf(sink.payload);
  EXPECT_GE(all.size(), 190000u);
  int part_way = 0;
  for (const std::vector<uint64_t>& versions : backups) {
    if (versions.empty()) continue;
    const auto end = std::upper_bound(all.begin(), all.end(), versions.back());
    EXPECT_TRUE(std::equal(all.begin(), end, versions.begin(), versions.end()))
        << versions.size() << " entries up to " << versions.back();
    part_way += versions.size() < all.size() ? 1 : 0;
  }
  std::cout << backups.size() << " backups, " << part_way
            << " while it was written, " << with_changed_tables
            << " while tables changed\n";
  EXPECT_GE(part_way, 2);
  EXPECT_GE(with_changed_tables, 1);
}

// All data keys, values and logs of the bank are encrypted, and the value logs
// lie in another folder.
TEST_F(LiveBackupTest, OfAnEncryptedBankWithAFolderForItsValuesIsExact) {
  options_.master_key = "0123456789abcdef0123456789abcdef";
  options_.value_folder = root_ + "/values";
  std::filesystem::create_directory(options_.value_folder);
  Child bank({"badger", "bank", "test", "-d", "1h", "--encryption-key",
              options_.master_key, "--dir", options_.folder, "--vlog-dir",
              options_.value_folder},
             root_ + "/bank.log");
  CollectingSink sink;
  EXPECT_GT(ExpectConsistentBackups(bank, 10, sink), 10u);
  const std::string log = ReadBytes(options_.value_folder + "/000000.vlog");
  EXPECT_EQ(log.find("account:"), std::string::npos) << "it is in the clear";
  EXPECT_TRUE(std::filesystem::exists(options_.folder + "/MANIFEST"));
}

// The tables of a live database by now, by number.
std::map<uint64_t, ManifestTable> ListedTables(const std::string& folder) {
  const auto manifest = ParseManifest(
      WholeRecords(ReadBytes(folder + "/MANIFEST"), kManifestHeaderBytes));
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  return manifest.ok() ? manifest->tables : std::map<uint64_t, ManifestTable>();
}

// What another process did to the tables between two looks.
struct TableChanges {
  int flushed = 0;    // new ones of level 0
  int compacted = 0;  // new ones of other levels
  int dropped = 0;    // which only compaction does

  TableChanges(const std::map<uint64_t, ManifestTable>& before,
               const std::map<uint64_t, ManifestTable>& after) {
    for (const auto& [id, table] : after) {
      if (before.count(id) > 0) continue;
      ++(table.level == 0 ? flushed : compacted);
    }
    for (const auto& table : before) dropped += after.count(table.first) == 0;
  }
};

// The copy stands still in the midst of its reads, between MANIFEST and the
// first table, until Badger has flushed and compacted.
TEST_F(LiveBackupTest, AFlushAndACompactionWithinTheWindowOfACopyDoNoHarm) {
  Child writer({"badger", "benchmark", "write", "-m", "30", "--val-size",
                "1000", "--dir", options_.folder},
               root_ + "/write.log");
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  const auto wait_for = [&](const std::function<bool()>& happened) {
    while (!happened() && absl::Now() < deadline && writer.IsRunning()) {
      std::this_thread::yield();
    }
    return happened();
  };
  ASSERT_TRUE(wait_for([&] {
    return !TableNames().empty() && !ListedTables(options_.folder).empty();
  })) << ReadBytes(root_ + "/write.log");

  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  plan.SetFilter([](const FileCall& call) {
    return call.op == FileOp::kOpen && absl::EndsWith(call.path, ".sst");
  });
  bool happened = false;
  const auto hook = [&](const FileCall&) {
    const auto before = ListedTables(options_.folder);
    happened = wait_for([&] {
      const TableChanges changes(before, ListedTables(options_.folder));
      return changes.flushed > 0 && changes.compacted > 0 &&
             changes.dropped > 0;
    });
    writer.Kill();  // enough to copy
  };
  plan.StrikeAt(1, Fault::Call(Fault::Kind::kBefore, hook));
  VersionSink sink;
  const sdk::BackupRequest request;
  const absl::Status status =
      MakeBadgerSource(options_, &files)->Backup(sdk::Run(), request, sink);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(plan.struck());
  EXPECT_TRUE(happened) << ReadBytes(root_ + "/write.log");

  const std::vector<uint64_t> versions = sink.Versions();
  VersionSink whole;
  ASSERT_TRUE(Backup(whole).ok());
  const std::vector<uint64_t> all = whole.Versions();
  const auto end = std::upper_bound(all.begin(), all.end(), versions.back());
  EXPECT_TRUE(std::equal(all.begin(), end, versions.begin(), versions.end()))
      << versions.size() << " entries up to " << versions.back();
}

// The sum of all accounts of gc_writer.go in the stream's last state. Obsolete
// versions may have lost their values to the collector.
int64_t MoneyIn(const std::string& stream) {
  std::map<std::string, std::pair<uint64_t, std::string>> last;
  for (const OwnedEntry& entry : EntriesOf(stream)) {
    auto& [version, value] = last[entry.key];
    if (entry.version < version) continue;
    version = entry.version;
    value = entry.value;
  }
  EXPECT_EQ(last.size(), 1000u);
  int64_t total = 0;
  for (const auto& [key, newest] : last) {
    int64_t balance = -1;
    EXPECT_TRUE(absl::SimpleAtoi(newest.second.substr(0, 8), &balance)) << key;
    EXPECT_EQ(newest.second.size(), 608u) << key;
    total += balance;
  }
  return total;
}

class CollectedBankTest : public LiveBackupTest {
 protected:
  CollectedBankTest()
      : bank_({"plugins/badger/gc_writer.bin", options_.folder},
              root_ + "/bank.log") {}

  bool WaitFor(const std::function<bool()>& happened) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (!happened() && absl::Now() < deadline && bank_.IsRunning()) {
      std::this_thread::yield();
    }
    return happened();
  }
  // That rewrote a log, so far. The first line says that the bank is open.
  int Collections() const {
    std::ifstream log(root_ + "/bank.log");
    return static_cast<int>(std::count(std::istreambuf_iterator<char>(log),
                                       std::istreambuf_iterator<char>(),
                                       '\n')) -
           1;
  }
  // By name. One that is gone, the collector has deleted: nobody else does.
  std::set<std::string> ValueLogs() const {
    std::set<std::string> names;
    std::error_code ignored;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.folder, ignored)) {
      if (entry.path().extension() == ".vlog") {
        names.insert(entry.path().filename());
      }
    }
    return names;
  }

  Child bank_;
};

TEST_F(CollectedBankTest, HoldsAllOfItsMoneyHoweverOftenItsLogsAreCollected) {
  ASSERT_TRUE(WaitFor([&] { return Collections() > 0; }))
      << ReadBytes(root_ + "/bank.log");
  const int before = Collections();
  int backups = 0;
  while (backups < 20 || Collections() < before + 5) {
    ASSERT_TRUE(bank_.IsRunning()) << ReadBytes(root_ + "/bank.log");
    CollectingSink sink;
    const absl::Status status = Backup(sink);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(MoneyIn(sink.payload), kBankTotal);
    ++backups;
  }
  std::cout << backups << " backups, " << Collections() - before
            << " collections meanwhile\n";
}

// The copy stands still between MANIFEST and the first table, until all three
// have happened.
TEST_F(CollectedBankTest, AFlushACompactionAndACollectionWithinTheWindow) {
  ASSERT_TRUE(WaitFor([&] {
    return Collections() > 0 && !TableNames().empty();
  })) << ReadBytes(root_ + "/bank.log");
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  plan.SetFilter([](const FileCall& call) {
    return call.op == FileOp::kOpen && absl::EndsWith(call.path, ".sst");
  });
  bool happened = false;
  const auto hook = [&](const FileCall&) {
    const auto tables = ListedTables(options_.folder);
    const std::set<std::string> logs = ValueLogs();
    happened = WaitFor([&] {
      const TableChanges changes(tables, ListedTables(options_.folder));
      const std::set<std::string> now = ValueLogs();
      return changes.flushed > 0 && changes.compacted > 0 &&
             changes.dropped > 0 &&
             !std::includes(now.begin(), now.end(), logs.begin(), logs.end());
    });
  };
  plan.StrikeAt(1, Fault::Call(Fault::Kind::kBefore, hook));
  CollectingSink sink;
  const sdk::BackupRequest request;
  const absl::Status status =
      MakeBadgerSource(options_, &files)->Backup(sdk::Run(), request, sink);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(plan.struck());
  EXPECT_TRUE(happened) << ReadBytes(root_ + "/bank.log");
  EXPECT_EQ(MoneyIn(sink.payload), kBankTotal);
  EXPECT_TRUE(bank_.IsRunning()) << "it wrote until the end";
}

}  // namespace
}  // namespace badger
}  // namespace sluice
