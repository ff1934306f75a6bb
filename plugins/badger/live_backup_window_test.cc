// Backups in the midst of whose reads Badger flushes, compacts and collects its
// value log.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/live/whole_records.h"
#include "sluice/plugins/badger/testing/collecting_sink.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/badger/testing/live_backup_fixture.h"

namespace sluice {
namespace badger {
namespace {

// Whether all of `some` are in `all`. Both ascend.
bool Includes(const std::vector<std::string>& all,
              const std::vector<std::string>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

// The tables of a live database by now, by number.
std::map<uint64_t, ManifestTable> ListedTables(const std::string& folder) {
  const auto manifest = ParseManifest(
      WholeRecords(ReadBytes(folder + "/MANIFEST"), kManifestHeaderBytes));
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  return manifest.ok() ? manifest->tables : std::map<uint64_t, ManifestTable>();
}

// What another process made of the tables between two looks.
struct TableChanges {
  int flushed = 0;    // new ones of level 0
  int compacted = 0;  // new ones of other levels

  TableChanges(const std::map<uint64_t, ManifestTable>& before,
               const std::map<uint64_t, ManifestTable>& after) {
    for (const auto& [id, table] : after) {
      if (before.count(id) > 0) continue;
      ++(table.level == 0 ? flushed : compacted);
    }
  }
};

class LiveBackupWindowTest : public LiveBackupFixture {
 protected:
  using Condition = std::function<bool()>;

  // For a minute at most, and while `writer` runs.
  static bool WaitFor(WriterProcess& writer, const Condition& happened) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (!happened() && absl::Now() < deadline && writer.IsRunning()) {
      std::this_thread::yield();
    }
    return happened();
  }

  bool HasTables() const {
    return !FileNames(".sst").empty() && !ListedTables(options_.folder).empty();
  }

  // Whether, from now on, Badger flushes, compacts and deletes what it has
  // compacted, and `more` happens.
  bool WaitForChanges(WriterProcess& writer, const Condition& more) const {
    const auto before = ListedTables(options_.folder);
    const std::vector<std::string> files = FileNames(".sst");
    return WaitFor(writer, [&] {
      const TableChanges changes(before, ListedTables(options_.folder));
      return changes.flushed > 0 && changes.compacted > 0 &&
             !Includes(FileNames(".sst"), files) && more();
    });
  }

  // Each attempt at a copy stands still in the midst of its reads, between
  // MANIFEST and the first table, while `happens` runs: no second one can make
  // good what the first did in the wrong order.
  void BackupAround(const std::function<void()>& happens,
                    CollectingSink& sink) const {
    bool begun = false;
    FaultPlan plan;
    FaultFileSystem files(FileSystem::Posix(), &plan);
    plan.SetFilter([&begun](const FileCall& call) {
      if (call.op != FileOp::kOpen) return false;
      if (absl::EndsWith(call.path, "KEYREGISTRY")) begun = true;
      return absl::EndsWith(call.path, ".sst") && std::exchange(begun, false);
    });
    plan.StrikeFrom(1, Fault::Call(Fault::Kind::kBefore,
                                   [&](const FileCall&) { happens(); }));
    const absl::Status status = Backup(sink, &files);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(plan.struck());
  }
};

TEST_F(LiveBackupWindowTest, AFlushAndACompactionWithinItDoNoHarm) {
  WriterProcess writer({"badger", "benchmark", "write", "-m", "30",
                        "--val-size", "1000", "--dir", options_.folder},
                       Log("write"));
  ASSERT_TRUE(WaitFor(writer, [&] { return HasTables(); }))
      << ReadBytes(Log("write"));
  bool happened = false;
  VersionSink sink;
  BackupAround(
      [&] {
        happened = WaitForChanges(writer, [] { return true; });
        writer.Kill();  // enough to copy
      },
      sink);
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_TRUE(happened) << ReadBytes(Log("write"));

  VersionSink whole;
  ASSERT_TRUE(Backup(whole).ok());
  ExpectPrefix(sink.Versions(), whole.Versions());
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

class CollectedBankTest : public LiveBackupWindowTest {
 protected:
  static constexpr int64_t kTotal = 1000000;  // 1,000 accounts of 1,000

  CollectedBankTest()
      : bank_({"plugins/badger/testing/gc_writer.bin", options_.folder},
              Log("bank")) {}

  // That rewrote a log, so far. The first line says that the bank is open.
  int Collections() const {
    std::ifstream log(Log("bank"));
    return static_cast<int>(std::count(std::istreambuf_iterator<char>(log),
                                       std::istreambuf_iterator<char>(),
                                       '\n')) -
           1;
  }
  // One that is gone, the collector has deleted: nobody else does.
  std::vector<std::string> ValueLogs() const { return FileNames(".vlog"); }

  WriterProcess bank_;
};

TEST_F(CollectedBankTest, HoldsAllOfItsMoneyHoweverOftenItsLogsAreCollected) {
  ASSERT_TRUE(WaitFor(bank_, [&] { return Collections() > 0; }))
      << ReadBytes(Log("bank"));
  const int before = Collections();
  int backups = 0;
  while (backups < 20 || Collections() < before + 5) {
    ASSERT_TRUE(bank_.IsRunning()) << ReadBytes(Log("bank"));
    CollectingSink sink;
    const absl::Status status = Backup(sink);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(MoneyIn(sink.payload), kTotal);
    ++backups;
  }
  std::cout << backups << " backups, " << Collections() - before
            << " collections meanwhile\n";
}

TEST_F(CollectedBankTest, AFlushACompactionAndACollectionWithinTheWindow) {
  ASSERT_TRUE(WaitFor(bank_, [&] { return Collections() > 0 && HasTables(); }))
      << ReadBytes(Log("bank"));
  bool happened = false;
  CollectingSink sink;
  BackupAround(
      [&] {
        const std::vector<std::string> logs = ValueLogs();
        happened =
            WaitForChanges(bank_, [&] { return !Includes(ValueLogs(), logs); });
      },
      sink);
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_TRUE(happened) << ReadBytes(Log("bank"));
  EXPECT_EQ(MoneyIn(sink.payload), kTotal);
  EXPECT_TRUE(bank_.IsRunning()) << "it wrote until the end";
}

}  // namespace
}  // namespace badger
}  // namespace sluice
