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
#include <iostream>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/backup_stream_reader.h"
#include "sluice/plugins/badger/collecting_sink.h"
#include "sluice/plugins/badger/fake_payload.h"
#include "sluice/plugins/badger/fixture.h"
#include "sluice/plugins/badger/image.h"
#include "sluice/plugins/badger/source.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/badger/stream_entry.h"

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

// Of all entries, ascending.
std::vector<uint64_t> VersionsOf(const std::string& stream) {
  std::vector<uint64_t> versions;
  BackupStreamReader reader([&versions](const StreamEntry& entry) {
    versions.push_back(entry.version);
    return absl::OkStatus();
  });
  EXPECT_TRUE(reader.Feed(stream).ok());
  EXPECT_TRUE(reader.Finish().ok());
  std::sort(versions.begin(), versions.end());
  return versions;
}

TEST_F(LiveBackupTest, OfABankHoldsAllOfItsMoneyAtEachTransaction) {
  Child bank({"badger", "bank", "test", "-d", "60s", "--dir", options_.folder},
             root_ + "/bank.log");
  const absl::Time end = absl::Now() + absl::Seconds(8);
  int backups = 0;
  uint64_t moved = 0;
  CollectingSink sink;
  while (absl::Now() < end && BackupOnce(bank, sink)) {
    const std::vector<int64_t> totals = TotalsOfHistory(sink.payload);
    if (totals.empty()) continue;  // the accounts are being made
    ++backups;
    moved = std::max<uint64_t>(moved, totals.size());
    EXPECT_EQ(std::count(totals.begin(), totals.end(), kBankTotal),
              static_cast<int64_t>(totals.size()));
    EXPECT_EQ(sink.counts.at("keys"), 10000u);
    EXPECT_TRUE(sink.warnings.empty()) << sink.warnings.front();
    if (HasFailure()) break;
  }
  EXPECT_TRUE(bank.IsRunning()) << ReadBytes(root_ + "/bank.log");
  std::cout << backups << " backups, " << moved << " transactions\n";
  EXPECT_GE(backups, 10);
  EXPECT_GT(moved, 100u);
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

}  // namespace
}  // namespace badger
}  // namespace sluice
