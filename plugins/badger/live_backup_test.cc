// Backups of databases that Badger's own command-line tool, version 2.2007, has
// open and writes.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/testing/bank_ledger.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/badger/testing/live_backup_fixture.h"

namespace sluice {
namespace badger {
namespace {

constexpr size_t kBankAccounts = 10000;

class LiveBackupTest : public LiveBackupFixture {
 protected:
  // That it is the next state of the bank, with all of its accounts.
  void Enter(BankBackup& backup) {
    const absl::Status status = ledger_.Enter(backup);
    ASSERT_TRUE(status.ok()) << status;
    if (ledger_.accounts() < kBankAccounts) return;  // they are being opened
    ++backups_;
    EXPECT_EQ(ledger_.accounts(), kBankAccounts);
    EXPECT_EQ(backup.counts.at("keys"), kBankAccounts);
    EXPECT_EQ(backup.counts.at("versions"), ledger_.entries());
    EXPECT_TRUE(backup.warnings.empty()) << backup.warnings.front();
  }

  // So many backups of a running bank, each of one state.
  void ExpectConsistentBackups(WriterProcess& bank, int wanted) {
    absl::Duration first, last;
    while (backups_ < wanted && !HasFailure() && bank.IsRunning()) {
      BankBackup backup(ledger_);
      const absl::Time began = absl::Now();
      if (!BacksUp(backup)) continue;
      last = absl::Now() - began;
      Enter(backup);
      if (backups_ == 1) first = last;
    }
    EXPECT_EQ(backups_, wanted) << ReadBytes(Log("bank"));
    EXPECT_GT(ledger_.last_version(), static_cast<uint64_t>(wanted));
    std::cout << backups_ << " backups, " << ledger_.last_version()
              << " transactions; the first took " << first << ", the last "
              << last << "\n";
  }

  int Run(const std::string& command) const {
    return system(absl::StrCat(command, " > ", Log("run"), " 2>&1").c_str());
  }

  BankLedger ledger_;
  int backups_ = 0;  // of the whole bank
};

// Each with a bank of its own, and how many backups are made of it.
class LiveBankTest : public LiveBackupTest,
                     public testing::WithParamInterface<int> {};

TEST_P(LiveBankTest, HoldsAllOfItsMoneyAtEachTransaction) {
  WriterProcess bank(
      {"badger", "bank", "test", "-d", "1h", "--dir", options_.folder},
      Log("bank"));
  ExpectConsistentBackups(bank, GetParam());
  BankBackup backup(ledger_, BankBackup::Keep::kPayload);
  ASSERT_TRUE(BacksUp(backup));
  Enter(backup);
  EXPECT_TRUE(bank.IsRunning()) << ReadBytes(Log("bank"));
  bank.Kill();

  // What was streamed last is what both tools restore.
  WriteBytes(root_ + "/payload", backup.payload);
  ASSERT_EQ(Run(absl::StrCat("badger restore --dir ", root_, "/by-tool -f ",
                             root_, "/payload")),
            0)
      << ReadBytes(Log("run"));
  ImageOptions by_tool;
  by_tool.folder = root_ + "/by-tool";
  const auto listed = List(by_tool);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->live.size(), kBankAccounts);
  EXPECT_EQ(listed->versions.size(), backup.counts.at("versions"));
}

// SLUICE_LIVE_BACKUPS=1000 where there is time for them. A backup costs what
// the bank holds of its history, and the bank writes meanwhile, so that each
// takes longer than the one before: 40 ms the first, 200 ms the hundredth, 8 s
// the 325th. So a new bank is opened after a hundred.
std::vector<int> BackupsOfEachBank() {
  constexpr int kMost = 100;
  int wanted = 0;
  const char* given = getenv("SLUICE_LIVE_BACKUPS");
  if (given == nullptr || !absl::SimpleAtoi(given, &wanted) || wanted < 1) {
    wanted = 100;
  }
  std::vector<int> backups;
  for (; wanted > 0; wanted -= kMost) {
    backups.push_back(std::min(wanted, kMost));
  }
  return backups;
}

INSTANTIATE_TEST_SUITE_P(Banks, LiveBankTest,
                         testing::ValuesIn(BackupsOfEachBank()));

// All data keys, values and logs of the bank are encrypted, and the value logs
// lie in another folder.
TEST_F(LiveBackupTest, OfAnEncryptedBankWithAFolderForItsValuesIsExact) {
  options_.master_key = "0123456789abcdef0123456789abcdef";
  options_.value_folder = root_ + "/values";
  std::filesystem::create_directory(options_.value_folder);
  WriterProcess bank({"badger", "bank", "test", "-d", "1h", "--encryption-key",
                      options_.master_key, "--dir", options_.folder,
                      "--vlog-dir", options_.value_folder},
                     Log("bank"));
  ExpectConsistentBackups(bank, std::min(10, BackupsOfEachBank().front()));
  const std::string log = ReadBytes(options_.value_folder + "/000000.vlog");
  EXPECT_EQ(log.find("account:"), std::string::npos) << "it is in the clear";
  EXPECT_TRUE(std::filesystem::exists(options_.folder + "/MANIFEST"));
}

// Memtables are flushed, tables compacted and deleted meanwhile, for as long as
// it takes to see that.
TEST_F(LiveBackupTest, OfAStoreThatFlushesIsAPrefixOfItsHistory) {
  WriterProcess writer({"badger", "benchmark", "write", "-m", "1", "--val-size",
                        "600", "--dir", options_.folder},
                       Log("write"));
  std::vector<std::vector<uint64_t>> backups;  // that hold anything
  int with_changed_tables = 0;
  while (writer.IsRunning() && !HasFailure() &&
         (backups.size() < 2 || with_changed_tables < 1)) {
    VersionSink sink;
    const std::vector<std::string> before = FileNames(".sst");
    if (!BacksUp(sink)) continue;
    const std::vector<uint64_t> versions = sink.Versions();
    if (versions.empty()) continue;
    backups.push_back(versions);
    with_changed_tables += before == FileNames(".sst") ? 0 : 1;
  }
  writer.Kill();
  VersionSink sink;
  ASSERT_TRUE(Backup(sink).ok());
  const std::vector<uint64_t> all = sink.Versions();
  int part_way = 0;
  for (const std::vector<uint64_t>& versions : backups) {
    ExpectPrefix(versions, all);
    part_way += versions.size() < all.size() ? 1 : 0;
  }
  std::cout << backups.size() << " backups, " << part_way
            << " while it was written, " << with_changed_tables
            << " while tables changed, " << all.size() << " entries\n";
  EXPECT_GE(part_way, 2) << ReadBytes(Log("write"));
  EXPECT_GE(with_changed_tables, 1) << ReadBytes(Log("write"));
}

}  // namespace
}  // namespace badger
}  // namespace sluice
