// Stores that live between their backups (history_writer.go), and whose folders
// are rolled back and exchanged for clones: twelve backups each, every one on
// the one before it, and every one restored with its base. What is restored
// must be what Badger itself lists of the store.
//
// Of Badger 2, SLUICE_BADGER_HISTORIES of them (10 else), written now, by a
// seed that SLUICE_BADGER_SEED repeats. Of Badger 4, which Debian 12 has not,
// those of testdata/histories, which it wrote and listed; testdata/README.md
// says how. SLUICE_HISTORY_WRITER is another program in the place of the one of
// Badger 2, one of Badger 4 (its restores are then of that format), and
// SLUICE_HISTORY_RECORD a folder for what it writes and lists.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/testing/environment.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/source.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/badger/testing/backup_chain.h"
#include "sluice/plugins/badger/testing/collecting_sink.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {
namespace {

namespace fs = std::filesystem;

constexpr int kBackups = 12;

std::string FromEnvironment(const char* name, const std::string& otherwise) {
  const char* text = getenv(name);
  return text != nullptr && *text != '\0' ? text : otherwise;
}

// Lines, as history_writer.go lists them.
std::vector<std::string> ReadLines(const std::string& path) {
  return absl::StrSplit(ReadBytes(path), '\n', absl::SkipEmpty());
}

// The same of a folder that we made, by our own reader.
class OwnListing {
 public:
  absl::StatusOr<std::vector<std::string>> Of(const std::string& folder) {
    ImageOptions options;
    options.folder = folder;
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Image> image,
                            Image::Open(*FileSystem::Posix(), options));
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionReader> reader,
                            image->ReadVersions());
    while (reader->Valid()) {
      SLUICE_RETURN_IF_ERROR(Take(*reader));
      SLUICE_RETURN_IF_ERROR(reader->Next());
    }
    EndKey();
    return lines_;
  }

 private:
  absl::Status Take(VersionReader& reader) {
    if (reader.key() != key_) {
      EndKey();
      key_ = std::string(reader.key());
      goes_on_ = true;
    }
    const uint64_t now =
        static_cast<uint64_t>(absl::ToUnixSeconds(absl::Now()));
    const bool expired = reader.expires_at() != 0 && reader.expires_at() <= now;
    if (reader.is_deleted() || expired) goes_on_ = false;
    if (!goes_on_) return absl::OkStatus();
    std::string value;
    SLUICE_RETURN_IF_ERROR(reader.ReadValue(value));
    if (line_.empty()) {
      line_ =
          absl::StrCat(absl::BytesToHexString(key_), " ",
                       absl::BytesToHexString(value), " v", reader.version(),
                       " u", reader.user_meta(), " x", reader.expires_at());
    }
    merged_ = value + merged_;
    goes_on_ = absl::StartsWith(key_, "m/") &&
               (reader.meta() & kMetaDiscardEarlier) == 0;
    return absl::OkStatus();
  }
  void EndKey() {
    if (!line_.empty() && absl::StartsWith(key_, "m/")) {
      absl::StrAppend(&line_, " ", merged_);
    }
    if (!line_.empty()) lines_.push_back(line_);
    line_.clear();
    merged_.clear();
  }

  std::vector<std::string> lines_;
  std::string key_;
  std::string line_;    // of the key, if it is alive
  std::string merged_;  // of its versions so far
  bool goes_on_ = false;
};

class HistoryTest : public testing::Test {
 protected:
  HistoryTest() {
    std::string root = testing::TempDir() + "/history-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    for (const char* folder : {"scratch", "state", "db"}) {
      fs::create_directory(In(folder));
    }
  }
  ~HistoryTest() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  std::string In(const std::string& name) const { return root_ + "/" + name; }

  // Makes folder `to` what `from` is.
  void Copy(const std::string& from, const std::string& to) const {
    fs::remove_all(to);
    const std::string command =
        absl::StrCat("cp -a --sparse=always ", from, " ", to);
    ASSERT_EQ(system(command.c_str()), 0) << command;
  }

  // Backs up `db` on what was backed up before, restores it with that, and
  // leaves the restored folder in `restored`.
  void BackUpAndRestore(DiskFormat format) {
    SourceOptions options;
    options.folder = In("db");
    options.scratch = In("scratch");
    options.offline = true;
    options.restore_format = format;
    CollectingSink sink;
    absl::Status status;
    if (chain_.empty()) {
      status = MakeBadgerSource(options)->Backup(sdk::Run(), {}, sink);
    } else {
      const OnChain base(chain_);
      status =
          MakeBadgerSource(options)->Backup(sdk::Run(), base.request(), sink);
    }
    ASSERT_TRUE(status.ok()) << status;
    const bool is_full = chain_.empty() || sink.metadata.count("sluice.full");
    if (is_full) chain_.clear();
    is_full ? ++full_ : ++increments_;
    const auto why = sink.metadata.find("sluice.full_reason");
    if (why != sink.metadata.end()) ++reasons_[why->second];
    chain_.push_back(std::move(sink));
    fs::remove_all(In("restored"));
    options.folder = In("restored");
    RestoreOf request(chain_);
    const absl::Status restored =
        MakeBadgerSource(options)->Restore(sdk::Run(), request);
    ASSERT_TRUE(restored.ok()) << restored;
  }
  void Forget() { chain_.clear(); }

  // Those that were made so far; the first of a history is not counted.
  void PrintCounts(const std::string& what, int histories) const {
    std::cout << what << ": " << histories << " histories, " << increments_
              << " increments, " << full_ - histories
              << " full backups where an increment was asked for" << std::endl;
    for (const auto& [why, count] : reasons_) {
      std::cout << "  " << count << " as " << why << std::endl;
    }
  }
  int increments() const { return increments_; }

 private:
  std::string root_;
  std::vector<CollectingSink> chain_;
  int increments_ = 0;
  int full_ = 0;
  std::map<std::string, int> reasons_;  // of full backups on a base
};

class LiveHistoryTest : public HistoryTest {
 protected:
  void Run(const std::string& arguments) const {
    const std::string command = absl::StrCat(writer_, " ", arguments);
    ASSERT_EQ(system(command.c_str()), 0) << command;
  }
  // What may happen to a folder behind Badger's back.
  void MeddleWithFolder() {
    switch (random_() % 24) {
      case 0:
      case 1:
        return Copy(In("db"), In("saved"));
      case 2:
        if (fs::exists(In("saved"))) Copy(In("saved"), In("db"));
        return;
      case 3:  // a clone that went its own way
        if (!fs::exists(In("saved"))) return;
        Run(absl::StrCat("live ", In("saved"), " ", random_() % 1000000, " ",
                         In("state")));
        return Copy(In("saved"), In("db"));
      default:
        return;
    }
  }
  void Live(uint64_t seed, bool is_badger_4, const std::string& record) {
    random_.seed(seed);
    Forget();
    for (const char* folder : {"db", "saved", "state"}) {
      fs::remove_all(In(folder));
    }
    fs::create_directory(In("db"));
    fs::create_directory(In("state"));
    for (int i = 0; i < kBackups && !HasFatalFailure(); ++i) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", backup ", i));
      if (i > 0) MeddleWithFolder();
      Run(absl::StrCat("live ", In("db"), " ", random_() % 1000000, " ",
                       In("state")));
      // Of a copy: it is written into when it is opened.
      Copy(In("db"), In("copy"));
      Run(absl::StrCat("list ", In("copy"), " ", In("expected")));
      if (!record.empty()) {
        const std::string step = absl::StrCat(record, "/", i);
        fs::create_directories(step);
        Copy(In("db"), step + "/db");
        fs::copy_file(In("expected"), step + "/expected");
      }
      BackUpAndRestore(is_badger_4 ? DiskFormat::kBadger4
                                   : DiskFormat::kBadger2);
      if (HasFatalFailure()) return;
      Run(absl::StrCat("list ", In("restored"), " ", In("listed")));
      ASSERT_EQ(ReadLines(In("listed")), ReadLines(In("expected")));
    }
  }

  const std::string writer_ = FromEnvironment(
      "SLUICE_HISTORY_WRITER", "plugins/badger/testing/history_writer.bin");
  std::mt19937_64 random_;
};

TEST_F(LiveHistoryTest, EachRestoreIsWhatBadgerLists) {
  int histories = 10;
  ASSERT_TRUE(absl::SimpleAtoi(FromEnvironment("SLUICE_BADGER_HISTORIES", "10"),
                               &histories));
  uint64_t seed = std::random_device()();
  ASSERT_TRUE(absl::SimpleAtoi(
      FromEnvironment("SLUICE_BADGER_SEED", absl::StrCat(seed)), &seed));
  std::cout << "SLUICE_BADGER_SEED=" << seed << std::endl;
  const bool is_badger_4 = getenv("SLUICE_HISTORY_WRITER") != nullptr;
  const std::string record = FromEnvironment("SLUICE_HISTORY_RECORD", "");
  for (int i = 0; i < histories && !HasFatalFailure(); ++i) {
    Live(seed + i, is_badger_4,
         record.empty() ? "" : absl::StrCat(record, "/", i));
  }
  PrintCounts(is_badger_4 ? "Badger 4" : "Badger 2", histories);
  EXPECT_GT(increments(), histories * kBackups / 4);
}

TEST_F(HistoryTest, EachRestoreOfARecordedOneIsWhatBadger4Listed) {
  const int64_t stride = std::min<int64_t>(FaultStride(), 4);
  int histories = 0, recorded = 0;
  for (const auto& file :
       fs::directory_iterator("plugins/badger/testdata/histories")) {
    if (recorded++ % stride != 0) continue;
    SCOPED_TRACE(file.path());
    ++histories;
    Forget();
    fs::remove_all(In("steps"));
    fs::create_directory(In("steps"));
    const std::string command = absl::StrCat(
        "tar --zstd -xf ", file.path().string(), " -C ", In("steps"));
    ASSERT_EQ(system(command.c_str()), 0) << command;
    for (int i = 0; i < kBackups; ++i) {
      SCOPED_TRACE(absl::StrCat("backup ", i));
      const std::string step = absl::StrCat(In("steps"), "/", i);
      fs::remove_all(In("db"));
      fs::rename(step + "/db", In("db"));
      BackUpAndRestore(DiskFormat::kBadger4);
      if (HasFatalFailure()) return;
      const auto listed = OwnListing().Of(In("restored"));
      ASSERT_TRUE(listed.ok()) << listed.status();
      ASSERT_EQ(*listed, ReadLines(step + "/expected"));
    }
  }
  PrintCounts("Badger 4, recorded", histories);
  EXPECT_GT(recorded, 20);
  EXPECT_GT(increments(), histories * kBackups / 4);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
