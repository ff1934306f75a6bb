#include "sluice/plugins/badger/live/live_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/live/held_logs.h"
#include "sluice/plugins/badger/live/scratch_area.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {
namespace {

// As Badger does it.
void Delete(const std::string& path) {
  std::filesystem::resize_file(path, 0);
  std::filesystem::remove(path);
}

// A copy of a fixture, with things happening to the fixture meanwhile.
class Copying {
 public:
  explicit Copying(const std::string& name)
      : fixture(name), files_(FileSystem::Posix(), &plan) {
    auto area =
        ScratchArea::Create(testing::TempDir(), {fixture.Options().folder});
    EXPECT_TRUE(area.ok()) << area.status();
    scratch_ = *std::move(area);
    // Only the source's calls count, by the names that they go to.
    plan.SetFilter([](const FileCall&) { return true; });
  }

  absl::Status Take(int max_attempts = 20) {
    LiveCopyOptions options;
    options.folder = fixture.Options().folder;
    options.value_folder = fixture.Options().value_folder;
    options.master_key = fixture.Options().master_key;
    options.max_attempts = max_attempts;
    options.max_held_logs = max_held_logs;
    copy = std::make_unique<LiveCopy>(options, &files_, FileSystem::Posix(),
                                      scratch_->path(), sdk::Run());
    return copy->Take([this](const ImageOptions& image) {
      before_proof();
      with_image(image);
      auto listed = List(image);
      if (!listed.ok()) return listed.status();
      listings = *std::move(listed);
      return absl::OkStatus();
    });
  }

  // Once, before the first call that opens `name`.
  void BeforeOpening(const std::string& name,
                     const std::function<void()>& hook) {
    plan.SetFilter([name](const FileCall& call) {
      return call.op == FileOp::kOpen && absl::EndsWith(call.path, name);
    });
    plan.StrikeAt(1, Fault::Call(Fault::Kind::kBefore,
                                 [hook](const FileCall&) { hook(); }));
  }

  std::string Path(const std::string& name) const {
    return absl::StrCat(fixture.folder(), "/", name);
  }

  FaultPlan plan;
  Fixture fixture;
  int max_held_logs = -1;
  std::function<void()> before_proof = [] {};
  std::function<void(const ImageOptions&)> with_image =
      [](const ImageOptions&) {};
  std::unique_ptr<LiveCopy> copy;
  Listings listings;

 private:
  FaultFileSystem files_;
  std::unique_ptr<ScratchArea> scratch_;
};

std::vector<std::string> NamesWith(const std::string& folder,
                                   const std::string& suffix) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (absl::EndsWith(name, suffix)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(LiveCopyTest, OfADirectoryThatNobodyWritesIsItsListing) {
  for (const std::string& name : FixtureNames()) {
    Copying copying(name);
    const absl::Status status = copying.Take();
    ASSERT_TRUE(status.ok()) << name << ": " << status;
    EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live) << name;
    EXPECT_EQ(copying.copy->report().attempts, 1) << name;
  }
}

TEST(LiveCopyTest, TakesNoMoreOfALogThanItsTransactions) {
  Copying copying("v4-sigkill");
  ASSERT_TRUE(copying.Take().ok());
  uint64_t stored = 0;
  for (const std::string& name : NamesWith(copying.copy->folder(), ".mem")) {
    stored += std::filesystem::file_size(copying.copy->folder() + "/" + name);
  }
  EXPECT_GT(stored, 0u);
  EXPECT_LT(stored, 4u << 20);
}

// A memtable that is flushed away between the listing and its turn is in
// MANIFEST by then. Here it is not: the copy is an earlier state, no error.
TEST(LiveCopyTest, ALogThatWasFlushedMeanwhileIsLeftToManifest) {
  Copying copying("v4-sigkill");
  const std::string name = NamesWith(copying.fixture.folder(), ".mem").front();
  copying.BeforeOpening(name, [&] { Delete(copying.Path(name)); });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(copying.plan.struck());
  EXPECT_LT(copying.listings.versions.size(),
            copying.fixture.Expected().versions.size());
}

// Badger deletes one after MANIFEST says so: it is lost, and nothing moves.
TEST(LiveCopyTest, ATableThatMANIFESTStillListsIsLostAndNotOnTheMove) {
  Copying copying("v4-zstd-levels");
  const std::string name = NamesWith(copying.fixture.folder(), ".sst").front();
  copying.BeforeOpening(name, [&] { Delete(copying.Path(name)); });
  const absl::Status status = copying.Take();
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_FALSE(IsRetryable(status));
  EXPECT_EQ(HintOf(status), "");
  EXPECT_TRUE(absl::StrContains(
      status.message(), absl::StrCat(copying.fixture.folder(), ": ", name,
                                     ": listed in MANIFEST")))
      << status;
  EXPECT_EQ(copying.copy->report().attempts, 1);
}

// Each look finds a new MANIFEST.
TEST(LiveCopyTest, WhatKeepsChangingIsNamedAfterAllAttempts) {
  Copying copying("v4-zstd-levels");
  const std::string manifest = copying.Path("MANIFEST");
  const std::string name = NamesWith(copying.fixture.folder(), ".sst").front();
  copying.plan.SetFilter([&](const FileCall& call) {
    if (call.op == FileOp::kOpen && absl::EndsWith(call.path, name)) {
      WriteBytes(manifest + "-REWRITE", ReadBytes(manifest));
      std::filesystem::rename(manifest + "-REWRITE", manifest);
    }
    return false;
  });
  const absl::Status status = copying.Take(/*max_attempts=*/4);
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_TRUE(IsRetryable(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "MANIFEST")) << status;
  EXPECT_EQ(copying.copy->report().attempts, 4);
}

// DropAll in Badger 2, in the midst: one log after another goes, then log 0 is
// made anew. While they go, it is looked again, more often than damage is.
TEST(LiveCopyTest, WhileLogsGoOneAfterAnotherNoHoleIsTakenForTheStore) {
  Copying copying("v2-many-logs");
  std::vector<std::string> logs = NamesWith(copying.fixture.folder(), ".vlog");
  // Their order is that of a map.
  std::swap(logs.front(), logs[logs.size() / 2]);
  copying.plan.SetFilter([&](const FileCall& call) {
    if (call.op == FileOp::kOpen && absl::EndsWith(call.path, "MANIFEST") &&
        !logs.empty()) {
      std::filesystem::remove(copying.Path(logs.front()));
      logs.erase(logs.begin());
      if (logs.empty()) {
        std::string header(20, 'h');
        header.replace(0, 8, 8, '\0');
        WriteBytes(copying.Path("000000.vlog"), header);
      }
    }
    return false;
  });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(copying.listings.versions.empty());
}

// The log that the tables' head lies in is another one by the time it is read.
TEST(LiveCopyTest, ALogThatTookTheNumberOfADroppedOneIsNoneOfTheStores) {
  Copying copying("v2-sigkill");
  const std::string log =
      copying.Path(NamesWith(copying.fixture.folder(), ".vlog").back());
  bool is_replaced = false;
  copying.BeforeOpening(".sst", [&] {
    std::string bytes = ReadBytes(log);
    bytes[15] ^= 1;  // of its IV
    WriteBytes(log, bytes);
    is_replaced = true;
  });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(is_replaced);
  EXPECT_EQ(copying.copy->report().attempts, 2);
}

// Compaction: MANIFEST no longer has the table, the copy neither.
TEST(LiveCopyTest, ATableThatWasReplacedMeanwhileIsLookedForAgain) {
  Copying copying("v4-zstd-levels");
  const std::string name = NamesWith(copying.fixture.folder(), ".sst").front();
  const std::string away = copying.fixture.folder() + "/../away";
  copying.BeforeOpening(name, [&] {
    std::filesystem::rename(copying.Path(name), away);
    std::filesystem::copy_file(away, copying.Path(name));
  });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
}

// A new MANIFEST may have given a number to another table.
TEST(LiveCopyTest, TablesBesideAManifestThatWasReplacedAreCopiedAnew) {
  Copying copying("v4-zstd-levels");
  const std::vector<std::string> tables =
      NamesWith(copying.fixture.folder(), ".sst");
  const std::string manifest = copying.Path("MANIFEST");
  copying.BeforeOpening(".sst", [&] {
    WriteBytes(manifest + "-REWRITE", ReadBytes(manifest));
    std::filesystem::rename(manifest + "-REWRITE", manifest);
  });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
  EXPECT_EQ(copying.plan.calls(), static_cast<int64_t>(2 * tables.size()));
}

TEST(LiveCopyTest, AClosedValueLogIsCopiedOnlyIfSomethingLeadsIntoIt) {
  Copying copying("v4-snappy-vlog");
  const std::string log = NamesWith(copying.fixture.folder(), ".vlog").front();
  ASSERT_NE(log, "000000.vlog");
  std::filesystem::copy_file(copying.Path(log), copying.Path("000000.vlog"));
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
  const std::string copy = copying.copy->folder();
  EXPECT_TRUE(std::filesystem::exists(copy + "/" + log));
  EXPECT_FALSE(std::filesystem::exists(copy + "/000000.vlog"));
}

// The first of the logs is away when the proof comes to read it. From then on
// closed logs are held before all else, so that it does no harm that the
// collector deletes it after that, when MANIFEST is read: older pointers lead
// into the copy.
TEST(LiveCopyTest, AValueLogThatWasCollectedIsHeldBeforeAllElseNextTime) {
  Copying copying("v4-snappy-vlog");
  const std::string log =
      copying.Path(NamesWith(copying.fixture.folder(), ".vlog").front());
  enum { kNotYet, kAway, kBack, kCollected } state = kNotYet;
  copying.plan.SetFilter([&](const FileCall& call) {
    if (call.op != FileOp::kOpen) return false;
    if (state == kNotYet && absl::EndsWith(log, call.path)) {
      std::filesystem::rename(log, log + ".away");
      state = kAway;
    } else if (state == kAway && absl::EndsWith(call.path, "KEYREGISTRY")) {
      std::filesystem::rename(log + ".away", log);
      state = kBack;
    } else if (state == kBack && absl::EndsWith(call.path, "MANIFEST")) {
      Delete(log);
      state = kCollected;
    }
    return false;
  });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(state, kCollected);
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
  EXPECT_EQ(copying.copy->report().proofs, 2);
}

// A closed log goes away between the two looks at the value folder.
TEST(LiveCopyTest, AValueLogThatGoesAwayWhileTablesAreCopiedIsLookedForAgain) {
  Copying copying("v4-snappy-vlog");
  const std::string log =
      copying.Path(NamesWith(copying.fixture.folder(), ".vlog").front());
  enum { kNotYet, kManifestRead, kAway, kBack } state = kNotYet;
  copying.plan.SetFilter([&](const FileCall& call) {
    if (call.op != FileOp::kOpen) return false;
    if (state == kNotYet && absl::EndsWith(call.path, "MANIFEST")) {
      state = kManifestRead;  // to learn the format
    } else if (state == kManifestRead &&
               absl::EndsWith(call.path, "MANIFEST")) {
      std::filesystem::rename(log, log + ".away");
      state = kAway;
    } else if (state == kAway && absl::EndsWith(call.path, "KEYREGISTRY")) {
      std::filesystem::rename(log + ".away", log);
      state = kBack;
    }
    return false;
  });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(state, kBack);
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
  EXPECT_EQ(copying.copy->report().attempts, 2);
  EXPECT_EQ(copying.copy->report().proofs, 1);
}

// What Badger 2 does to a log that we read: all that it can.
TEST(LiveCopyTest, LogsOfBadger2ThatAreDeletedAndGrowAreHeldAsTheyWere) {
  for (const std::string name : {"v2-many-logs", "v2-sigkill", "v2-aes256"}) {
    Copying copying(name);
    const std::vector<std::string> logs =
        NamesWith(copying.fixture.folder(), ".vlog");
    const auto in_place = List(copying.fixture.Options());
    ASSERT_TRUE(in_place.ok()) << in_place.status();
    copying.before_proof = [&] {
      for (const std::string& log : logs) {
        std::ofstream(copying.Path(log), std::ios::app) << "more";
        std::filesystem::remove(copying.Path(log));
      }
    };
    const absl::Status status = copying.Take();
    ASSERT_TRUE(status.ok()) << name << ": " << status;
    EXPECT_EQ(copying.listings.versions, in_place->versions) << name;
    EXPECT_EQ(copying.copy->report().attempts, 1) << name;
    EXPECT_TRUE(NamesWith(copying.copy->folder(), ".vlog").empty()) << name;
    EXPECT_TRUE(copying.copy->CheckHeldLogs().ok()) << name;
  }
}

// Pointers of tables that were read before may lead into it.
TEST(LiveCopyTest, ALogThatIsCollectedWhileTablesAreCopiedIsHeldBefore) {
  Copying copying("v2-zstd-gc");
  const std::string newest =
      NamesWith(copying.fixture.folder(), ".vlog").back();
  const std::string older = copying.Path("000001.vlog");
  ASSERT_GT(copying.Path(newest), older);
  WriteBytes(older, ReadBytes(copying.Path(newest)).substr(0, 20));
  copying.BeforeOpening(".sst", [&] { std::filesystem::remove(older); });
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(std::filesystem::exists(older));
  EXPECT_EQ(copying.copy->report().attempts, 1);
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
}

// DropAll: a log is held while it grows, is closed, and has gone when it is
// asked for again. Less of it would be a hole before the log behind it.
TEST(LiveCopyTest, ALogThatGrewAndWentAwayIsHeldToItsEnd) {
  const Fixture fixture("v2-many-logs");
  const auto folder = FileSystem::Posix()->Beneath(fixture.folder());
  ASSERT_TRUE(folder.ok());
  const std::string log = "000005.vlog";
  const uint64_t whole =
      std::filesystem::file_size(fixture.folder() + "/" + log);
  HeldLogs held(*folder.value, 10);
  ASSERT_TRUE(held.Hold(5, log).ok());
  held.Limit(5, whole - 100);
  std::ofstream(fixture.folder() + "/" + log, std::ios::app) << "more";
  std::filesystem::remove(fixture.folder() + "/" + log);
  ASSERT_TRUE(held.Hold(5, log).ok());
  ASSERT_NE(held.Open(5), nullptr);
  EXPECT_EQ(held.Open(5)->size(), whole + 4);
  EXPECT_TRUE(absl::IsAborted(held.Hold(50, "000050.vlog").status()));
}

TEST(LiveCopyTest, LogsAboveHowManyMayBeHeldAreCopied) {
  for (const int most : {0, 2}) {
    Copying copying("v2-many-logs");
    const size_t logs = NamesWith(copying.fixture.folder(), ".vlog").size();
    copying.max_held_logs = most;
    const auto in_place = List(copying.fixture.Options());
    ASSERT_TRUE(in_place.ok()) << in_place.status();
    const absl::Status status = copying.Take();
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(copying.listings.versions, in_place->versions) << most;
    EXPECT_EQ(NamesWith(copying.copy->folder(), ".vlog").size(),
              logs - static_cast<size_t>(most));
  }
}

// Nothing in Badger 2 does so; a file that is copied over the log does.
TEST(LiveCopyTest, ALogThatIsWrittenOverWhileItIsHeldIsFoundOut) {
  for (const bool is_cut : {false, true}) {
    Copying copying("v2-many-logs");
    ASSERT_TRUE(copying.Take().ok());
    ASSERT_TRUE(copying.copy->CheckHeldLogs().ok());
    const std::string log =
        copying.Path(NamesWith(copying.fixture.folder(), ".vlog").front());
    std::string bytes = ReadBytes(log);
    if (is_cut) {
      bytes.pop_back();
    } else {
      bytes[15] ^= 1;  // of its IV
    }
    WriteBytes(log, bytes);
    const absl::Status status = copying.copy->CheckHeldLogs();
    EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
    EXPECT_TRUE(IsRetryable(status));
  }
}

// The tables hold what comes before the head; what they lead to, the proof
// reads.
TEST(LiveCopyTest, ALogIsReadFromTheHeadOnToFindItsEnd) {
  Copying copying("v2-none");
  const std::string log =
      copying.Path(NamesWith(copying.fixture.folder(), ".vlog").back());
  uint64_t bytes_read = 0;
  copying.plan.SetFilter([&](const FileCall& call) {
    if (call.op == FileOp::kReadAt && absl::EndsWith(log, call.path)) {
      bytes_read += call.bytes;
    }
    return false;
  });
  uint64_t before_proof = 0;
  copying.before_proof = [&] { before_proof = bytes_read; };
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_GT(before_proof, 0u);
  EXPECT_LT(before_proof, std::filesystem::file_size(log) / 2);
}

TEST(LiveCopyTest, HalfARecordAtTheEndIsDroppedAndTold) {
  Copying copying("v4-sigkill");
  const std::string name = NamesWith(copying.fixture.folder(), ".mem").back();
  std::string bytes = ReadBytes(copying.Path(name));
  const size_t end = bytes.find_last_not_of('\0') + 1;
  bytes.resize(end);
  bytes += std::string("\x40\x00\x0a\x05\x00half", 9);
  WriteBytes(copying.Path(name), bytes);
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
  ASSERT_EQ(copying.copy->report().unreadable_ends.size(), 1u);
  EXPECT_TRUE(
      absl::StrContains(copying.copy->report().unreadable_ends[0], name));
}

TEST(LiveCopyTest, HalfARecordAtTheEndOfALogThatIsHeldIsDroppedAndTold) {
  Copying copying("v2-sigkill");
  const std::string name = NamesWith(copying.fixture.folder(), ".vlog").back();
  const auto in_place = List(copying.fixture.Options());
  ASSERT_TRUE(in_place.ok()) << in_place.status();
  std::ofstream(copying.Path(name), std::ios::app)
      << std::string("\x40\x00\x0a\x05\x00half", 9);
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(copying.listings.versions, in_place->versions);
  ASSERT_EQ(copying.copy->report().unreadable_ends.size(), 1u);
  EXPECT_TRUE(
      absl::StrContains(copying.copy->report().unreadable_ends[0], name));
}

// Of a live database `inspect` shows the same as of one that stands still.
TEST(LiveCopyTest, TheBytesOfLogsThatAreNotInTheImageAreKnown) {
  for (const std::string name : {"v2-many-logs", "v4-gc"}) {
    Copying copying(name);
    uint64_t bytes = 0;
    for (const std::string& log :
         NamesWith(copying.fixture.folder(), ".vlog")) {
      bytes += std::filesystem::file_size(copying.Path(log));
    }
    uint64_t told = 0;
    copying.with_image = [&](const ImageOptions& options) {
      const auto image = Image::Open(*FileSystem::Posix(), options);
      ASSERT_TRUE(image.ok()) << image.status();
      told = (*image)->summary().value_log_bytes;
    };
    ASSERT_TRUE(copying.Take().ok());
    EXPECT_EQ(told, bytes) << name;
  }
}

TEST(LiveCopyTest, SaysWhetherValueLogsTakeRoom) {
  const auto holds_all = [](const std::string& name, int most) {
    const Fixture fixture(name);
    LiveCopyOptions options;
    options.folder = fixture.folder();
    options.max_held_logs = most;
    return HoldsAllLogs(*FileSystem::Posix(), options);
  };
  EXPECT_TRUE(holds_all("v2-many-logs", -1));
  EXPECT_FALSE(holds_all("v2-many-logs", 7));
  EXPECT_FALSE(holds_all("v4-gc", -1));
}

TEST(LiveCopyTest, DamageIsAnErrorAndNotTriedForEver) {
  Copying copying("v4-none-inline");
  const std::string name = NamesWith(copying.fixture.folder(), ".sst").front();
  std::string bytes = ReadBytes(copying.Path(name));
  bytes[100] ^= 1;
  WriteBytes(copying.Path(name), bytes);
  EXPECT_EQ(ErrorCodeOf(copying.Take()), kSourceFailed);
  EXPECT_EQ(copying.copy->report().proofs, LiveCopy::kMaxProofs);
}

TEST(LiveCopyTest, AnEmptyValueLogOfACrashIsPassedOver) {
  Copying copying("v4-snappy-vlog");
  WriteBytes(copying.Path("000900.vlog"), "");
  const absl::Status status = copying.Take();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(copying.listings.live, copying.fixture.Expected().live);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
