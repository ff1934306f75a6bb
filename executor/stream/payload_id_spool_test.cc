#include "sluice/executor/stream/payload_id_spool.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/executor/limits.h"

namespace sluice {
namespace {

absl::Status GoOn() { return absl::OkStatus(); }

std::string Scratch() { return ::testing::TempDir(); }

std::vector<std::string> All(const PayloadIdSpool& spool) {
  std::vector<std::string> ids;
  EXPECT_TRUE(spool
                  .ForEach([&](absl::string_view id) {
                    ids.emplace_back(id);
                    return absl::OkStatus();
                  })
                  .ok());
  return ids;
}

int FilesIn(const std::string& folder) {
  return static_cast<int>(FileSystem::Posix()->List(folder).value.size());
}

// A file whose writes run out of space after `budget` bytes, and come in
// small pieces.
class MeanFile final : public File {
 public:
  MeanFile(std::unique_ptr<File> file, uint64_t* budget, int error)
      : file_(std::move(file)), budget_(budget), error_(error) {}
  IoResult<size_t> Read(absl::Span<char> buffer) override {
    return file_->Read(buffer);
  }
  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    return file_->ReadAt(offset, buffer.first((buffer.size() + 1) / 2));
  }
  IoResult<size_t> Write(absl::string_view bytes) override {
    return file_->Write(bytes);
  }
  IoResult<size_t> WriteAt(uint64_t offset, absl::string_view bytes) override {
    if (*budget_ < bytes.size()) return IoResult<size_t>::Failed(error_);
    bytes = bytes.substr(0, (bytes.size() + 1) / 2);
    *budget_ -= bytes.size();
    return file_->WriteAt(offset, bytes);
  }
  int Truncate(uint64_t size) override { return file_->Truncate(size); }
  int Sync() override { return file_->Sync(); }
  int SyncFileSystem() override { return file_->SyncFileSystem(); }
  IoResult<FileInfo> Stat() override { return file_->Stat(); }
  int Seek(uint64_t offset) override { return file_->Seek(offset); }
  int Close() override { return file_->Close(); }

 private:
  std::unique_ptr<File> file_;
  uint64_t* const budget_;
  const int error_;
};

TEST(PayloadIdSpoolTest, SortsAndMergesRepeatsInMemory) {
  const std::string folder = absl::StrCat(Scratch(), "/untouched");
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  PayloadIdSpool spool({.scratch_dir = folder});
  for (const char* id : {"b", "a", "c", "b", "\xff", "ab"}) {
    ASSERT_TRUE(spool.Add(id).ok());
  }
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  EXPECT_EQ(spool.count(), 5u);
  const std::vector<std::string> sorted = {"a", "ab", "b", "c", "\xff"};
  EXPECT_EQ(All(spool), sorted);
  EXPECT_EQ(All(spool), sorted) << "a second reading is the same";
  EXPECT_EQ(FilesIn(folder), 0);
}

TEST(PayloadIdSpoolTest, HoldsNothingWhereNothingWasAdded) {
  PayloadIdSpool spool({.scratch_dir = "/nowhere"});
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  EXPECT_EQ(spool.count(), 0u);
  EXPECT_TRUE(All(spool).empty());
}

TEST(PayloadIdSpoolTest, MergesManyRunsOfRandomIdsAsASetWould) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (const size_t fan_in : {2, 3, 64}) {
    PayloadIdSpool spool(
        {.scratch_dir = Scratch(), .run_bytes = 2048, .fan_in = fan_in});
    std::set<std::string> expected;
    for (int i = 0; i < 20000; ++i) {
      std::string id = absl::StrCat(random() % 15000);
      id.append(random() % 40, 'x');
      expected.insert(id);
      ASSERT_TRUE(spool.Add(id).ok());
    }
    ASSERT_TRUE(spool.Finish(GoOn).ok());
    EXPECT_EQ(spool.count(), expected.size());
    EXPECT_EQ(All(spool),
              std::vector<std::string>(expected.begin(), expected.end()));
  }
}

TEST(PayloadIdSpoolTest, TakesHundredsOfThousandsThroughAThousandRuns) {
  PayloadIdSpool spool({.scratch_dir = Scratch(), .run_bytes = 8192});
  constexpr uint64_t kIds = 300000;
  // A permutation: the multiplier and the count have no common factor.
  for (uint64_t i = 0; i < kIds; ++i) {
    ASSERT_TRUE(spool.Add(absl::StrCat(1000000 + i * 7919 % kIds)).ok());
  }
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  EXPECT_EQ(spool.count(), kIds);
  uint64_t next = 1000000;
  ASSERT_TRUE(spool
                  .ForEach([&](absl::string_view id) {
                    EXPECT_EQ(id, absl::StrCat(next++));
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(next, 1000000 + kIds);
}

TEST(PayloadIdSpoolTest, LeavesNoFileBehindEvenWhileItWorks) {
  const std::string folder = absl::StrCat(Scratch(), "/nameless");
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  PayloadIdSpool spool({.scratch_dir = folder, .run_bytes = 64});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(spool.Add(absl::StrCat(i)).ok());
  EXPECT_EQ(FilesIn(folder), 0);
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  EXPECT_EQ(spool.count(), 100u);
}

TEST(PayloadIdSpoolTest, TakesTheLongestIdAndEveryByteThatIsNoControl) {
  PayloadIdSpool spool({.scratch_dir = Scratch(), .run_bytes = 1});
  const std::string longest(kMaxPayloadIdBytes, 'x');
  ASSERT_TRUE(spool.Add(longest).ok());
  for (int c = 0x20; c < 0x100; ++c) {
    if (c == 0x7f) continue;
    ASSERT_TRUE(spool.Add(std::string(1, static_cast<char>(c))).ok());
  }
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  EXPECT_EQ(spool.count(), 1u + 0x100 - 0x20 - 1);
}

TEST(PayloadIdSpoolTest, RefusesWhatWouldNotBeOneLine) {
  PayloadIdSpool spool({.scratch_dir = Scratch()});
  const std::string too_long(kMaxPayloadIdBytes + 1, 'x');
  for (const absl::string_view id :
       {absl::string_view(""), absl::string_view(too_long),
        absl::string_view("a\nb"), absl::string_view("a\0b", 3),
        absl::string_view("\x7f")}) {
    EXPECT_EQ(spool.Add(id).code(), absl::StatusCode::kInvalidArgument);
  }
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  EXPECT_EQ(spool.count(), 0u);
}

TEST(PayloadIdSpoolTest, StopsAtTheCallbacksError) {
  PayloadIdSpool spool({.scratch_dir = Scratch(), .run_bytes = 8});
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(spool.Add(id).ok());
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  int calls = 0;
  const absl::Status full = absl::ResourceExhaustedError("full");
  EXPECT_EQ(spool.ForEach([&](absl::string_view) {
    ++calls;
    return full;
  }),
            full);
  EXPECT_EQ(calls, 1);
}

TEST(PayloadIdSpoolTest, StopsAMergeWhenAskedTo) {
  PayloadIdSpool spool({.scratch_dir = Scratch(), .run_bytes = 64});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(spool.Add(absl::StrCat(i)).ok());
  EXPECT_EQ(spool.Finish([] { return absl::CancelledError("over"); }),
            absl::CancelledError("over"));
}

TEST(PayloadIdSpoolTest, SaysThatTheScratchFolderIsMissing) {
  PayloadIdSpool spool({.scratch_dir = "/nowhere/at/all", .run_bytes = 8});
  absl::Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) status = spool.Add("abcdef");
  EXPECT_EQ(ErrorCodeOf(status), kScratchUnavailable);
  EXPECT_EQ(spool.Finish(GoOn), status) << "the failure stays";
}

// Posix, but for files, which are mean.
class MeanFileSystem final : public FileSystem {
 public:
  MeanFileSystem(uint64_t budget, int error) : budget_(budget), error_(error) {}
  IoResult<std::unique_ptr<File>> Open(const std::string& path, int flags,
                                       uint32_t mode) override {
    IoResult<std::unique_ptr<File>> file = posix_->Open(path, flags, mode);
    if (file.ok()) {
      file.value =
          std::make_unique<MeanFile>(std::move(file.value), &budget_, error_);
    }
    return file;
  }
  int Unlink(const std::string& path) override { return posix_->Unlink(path); }
  int Rename(const std::string&, const std::string&) override { return EPERM; }
  int RenameNoReplace(const std::string&, const std::string&) override {
    return EPERM;
  }
  int Link(const std::string&, const std::string&) override { return EPERM; }
  int MakeDirectory(const std::string&, uint32_t) override { return EPERM; }
  int RemoveDirectory(const std::string&) override { return EPERM; }
  int SyncDirectory(const std::string&) override { return EPERM; }
  IoResult<FileInfo> Stat(const std::string& path) override {
    return posix_->Stat(path);
  }
  IoResult<std::vector<DirectoryEntry>> List(const std::string& path) override {
    return posix_->List(path);
  }
  IoResult<std::unique_ptr<FileSystem>> Beneath(
      const std::string& folder) override {
    return posix_->Beneath(folder);
  }
  IoResult<uint64_t> LargestFile(const std::string& path) override {
    return posix_->LargestFile(path);
  }

 private:
  FileSystem* const posix_ = FileSystem::Posix();
  uint64_t budget_;
  const int error_;
};

TEST(PayloadIdSpoolTest, LivesWithShortWritesAndInterruptions) {
  MeanFileSystem mean(uint64_t{1} << 40, ENOSPC);
  PayloadIdSpool spool(
      {.scratch_dir = Scratch(), .file_system = &mean, .run_bytes = 256});
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(spool.Add(absl::StrCat(1000 + i * 7 % 1000)).ok());
  }
  ASSERT_TRUE(spool.Finish(GoOn).ok());
  EXPECT_EQ(spool.count(), 1000u);
  EXPECT_EQ(All(spool).front(), "1000");
  EXPECT_EQ(All(spool).back(), "1999");
}

TEST(PayloadIdSpoolTest, TellsAFullScratchFolderAsItself) {
  for (const int error : {ENOSPC, EDQUOT, EIO}) {
    // Every budget from nothing to nearly enough for 200 ids, merged.
    for (uint64_t budget = 0; budget < 2000; budget += 97) {
      MeanFileSystem mean(budget, error);
      PayloadIdSpool spool(
          {.scratch_dir = Scratch(), .file_system = &mean, .run_bytes = 256});
      absl::Status status;
      for (int i = 0; i < 200 && status.ok(); ++i) {
        status = spool.Add(absl::StrCat(100000 + i));
      }
      if (status.ok()) status = spool.Finish(GoOn);
      EXPECT_EQ(ErrorCodeOf(status),
                error == EIO ? kScratchUnavailable : kScratchNoSpace)
          << budget;
    }
  }
}

}  // namespace
}  // namespace sluice
