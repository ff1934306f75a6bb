#include "sluice/plugins/badger/image/log_index.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/sort/merge.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"
#include "sluice/plugins/badger/testing/string_file.h"

namespace sluice {
namespace badger {
namespace {

std::string Record(const std::string& key, uint64_t version, uint8_t meta,
                   uint8_t user_meta) {
  std::string bytes = {static_cast<char>(meta), static_cast<char>(user_meta)};
  AppendVarint(key.size() + kVersionBytes, bytes);
  AppendVarint(5, bytes);
  AppendVarint(0, bytes);
  bytes += key;
  bytes += BigEndian32(static_cast<uint32_t>(~version >> 32));
  bytes += BigEndian32(static_cast<uint32_t>(~version));
  bytes += "value";
  return bytes + BigEndian32(Crc32c(bytes));
}

class LogIndexTest : public ::testing::Test {
 protected:
  absl::Status Add(const std::string& records, LogIndex& index,
                   const std::string& name = "00001.mem") {
    auto log = LogFile::Create(
        FileOf(std::string(kLogHeaderBytes, '\0') + records, name), keys_);
    EXPECT_TRUE(log.ok());
    logs_.push_back(*std::move(log));
    return index.Add(*logs_.back(), kLogHeaderBytes).status();
  }

  const KeyRegistry keys_{};
  std::vector<std::unique_ptr<LogFile>> logs_;
};

// Key, version and user meta of each entry from `user_key` on, the newest of
// each version.
std::string From(const LogIndex& index, absl::string_view user_key) {
  const auto sources = index.Sources();
  EXPECT_TRUE(sources.ok()) << sources.status();
  std::vector<EntrySource*> borrowed;
  for (const auto& source : *sources) borrowed.push_back(source.get());
  Merge merge(borrowed);
  std::string all;
  EXPECT_TRUE(merge.Seek(user_key).ok());
  while (merge.Valid()) {
    all += std::string(merge.key().user_key) +
           std::to_string(merge.key().version) + ":" +
           std::to_string(merge.values().front().user_meta) + " ";
    EXPECT_TRUE(merge.Next().ok());
  }
  return all;
}

TEST_F(LogIndexTest, SortsKeysAndTheNewestVersionFirst) {
  LogIndex index(1 << 20);
  ASSERT_TRUE(Add(Record("b", 1, 0, 1) + Record("a", 2, 0, 2) +
                      Record("b", 3, 0, 3) + Record("ab", 1, 0, 4),
                  index)
                  .ok());
  index.Sort();
  EXPECT_EQ(From(index, ""), "a2:2 ab1:4 b3:3 b1:1 ");
  EXPECT_EQ(From(index, "aa"), "ab1:4 b3:3 b1:1 ");
  EXPECT_EQ(From(index, "c"), "");
  EXPECT_EQ(index.max_version(), 3u);
}

// Badger's own restore leaves the bit where the value came from a value log.
TEST_F(LogIndexTest, AValueLogHoldsTheValuesWhateverTheyWereBefore) {
  for (const char* const name : {"00001.mem", "000001.vlog"}) {
    LogIndex index(1 << 20);
    ASSERT_TRUE(Add(Record("a", 1, kMetaValuePointer, 1), index, name).ok());
    index.Sort();
    const bool leads_elsewhere = absl::EndsWith(name, ".mem");
    EXPECT_EQ(index.ValueAt(0).is_pointer(), leads_elsewhere) << name;
    EXPECT_EQ(index.has_pointers(), leads_elsewhere) << name;
  }
}

TEST_F(LogIndexTest, LetsALaterRecordReplaceAnEarlierOne) {
  LogIndex index(1 << 20);
  ASSERT_TRUE(Add(Record("a", 1, 0, 1) + Record("a", 1, 0, 2), index).ok());
  ASSERT_TRUE(Add(Record("a", 1, 0, 3) + Record("b", 1, 0, 4), index).ok());
  index.Sort();
  EXPECT_EQ(From(index, ""), "a1:3 b1:4 ");
}

TEST_F(LogIndexTest, HoldsNothingOfAnUnfinishedTransaction) {
  LogIndex index(1 << 20);
  ASSERT_TRUE(
      Add(Record("a", 1, 0, 1) + Record("b", 9, kMetaTransaction, 2), index)
          .ok());
  index.Sort();
  EXPECT_EQ(From(index, ""), "a1:1 ");
  EXPECT_EQ(index.max_version(), 1u);
}

TEST_F(LogIndexTest, FailsWhereItWouldHoldMoreThanAllowed) {
  LogIndex index(200);
  std::string records;
  for (int i = 0; i < 10; ++i) records += Record("key", 1, 0, 0);
  EXPECT_EQ(ErrorCodeOf(Add(records, index)), kResourceExhausted);
}

// A folder for runs, and how often it was asked for.
class Scratch {
 public:
  explicit Scratch(const std::string& name)
      : path_(testing::TempDir() + "/" + name) {
    std::filesystem::create_directory(path_);
    folder_ = std::move(FileSystem::Posix()->Beneath(path_).value);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }

  LogIndex::Scratch opener() {
    return [this]() -> absl::StatusOr<FileSystem*> {
      ++asked_;
      return folder_.get();
    };
  }
  int asked() const { return asked_; }
  bool empty() const { return std::filesystem::is_empty(path_); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  std::unique_ptr<FileSystem> folder_;
  int asked_ = 0;
};

TEST_F(LogIndexTest, GoesToAFileWithWhatDoesNotFitAndHoldsTheSame) {
  Scratch scratch("runs");
  {
    LogIndex small(500, scratch.opener());
    LogIndex large(1 << 20);
    // Every key twice in each of two logs, at several versions.
    for (int log = 0; log < 2; ++log) {
      std::string records;
      for (int i = 0; i < 60; ++i) {
        records += Record(std::string(1, static_cast<char>('a' + i * 7 % 26)),
                          1 + i % 4, 0, static_cast<uint8_t>(log * 100 + i));
      }
      ASSERT_TRUE(Add(records, small).ok());
      ASSERT_TRUE(Add(records, large).ok());
    }
    small.Sort();
    large.Sort();
    EXPECT_GT(small.runs(), 5u);
    EXPECT_EQ(large.runs(), 0u);
    EXPECT_EQ(scratch.asked(), 1);
    EXPECT_EQ(From(small, ""), From(large, ""));
    EXPECT_EQ(From(small, "m"), From(large, "m"));
    EXPECT_EQ(small.max_version(), large.max_version());
  }
  EXPECT_TRUE(scratch.empty()) << "the index takes its runs away";
}

TEST_F(LogIndexTest, ReadsTheValueOfARecordThatWentToAFile) {
  Scratch scratch("values");
  LogIndex index(120, scratch.opener());
  ASSERT_TRUE(Add(Record("a", 1, 0, 1), index).ok());
  ASSERT_TRUE(Add(Record("b", 2, 0, 2) + Record("c", 3, 0, 3), index).ok());
  index.Sort();
  ASSERT_GT(index.runs(), 0u);
  const auto sources = index.Sources();
  ASSERT_TRUE(sources.ok()) << sources.status();
  int values = 0;
  for (const auto& source : *sources) {
    ASSERT_TRUE(source->Seek("").ok());
    for (; source->Valid(); ++values) {
      const StoredValue value = source->value();
      std::string bytes;
      LogRecord record;
      ASSERT_TRUE(
          value.log->Read(value.place.offset, value.place.size, bytes, record)
              .ok());
      EXPECT_EQ(record.value, "value");
      InternalKey key;
      ASSERT_TRUE(ParseInternalKey(record.key, key));
      EXPECT_EQ(Compare(key, source->key()), 0);
      ASSERT_TRUE(source->Next().ok());
    }
  }
  EXPECT_EQ(values, 3);
}

TEST_F(LogIndexTest, ATransactionThatIsDroppedIsInNoFileEither) {
  Scratch scratch("dropped");
  LogIndex index(200, scratch.opener());
  std::string records;
  for (char key = 'a'; key < 'g'; ++key) {
    records += Record(std::string(1, key), 1, 0, 1);
  }
  records += Record("x", 9, kMetaTransaction, 2);
  ASSERT_TRUE(Add(records, index).ok());
  index.Sort();
  EXPECT_GT(index.runs(), 0u);
  EXPECT_EQ(From(index, ""), "a1:1 b1:1 c1:1 d1:1 e1:1 f1:1 ");
}

TEST_F(LogIndexTest, ATransactionBeyondAllMemoryIsRefused) {
  Scratch scratch("large");
  LogIndex index(200, scratch.opener());
  std::string records;
  for (int i = 0; i < 10; ++i) records += Record("key", 1, kMetaTransaction, 0);
  EXPECT_EQ(ErrorCodeOf(Add(records, index)), kResourceExhausted);
}

TEST_F(LogIndexTest, TellsThatTheScratchFolderIsTheTrouble) {
  Scratch scratch("taken");
  std::filesystem::create_directory(scratch.path() + "/logs-1");
  LogIndex index(120, scratch.opener());
  const std::string records = Record("a", 1, 0, 1) + Record("b", 1, 0, 1);
  const absl::Status status = Add(records + records, index);
  EXPECT_EQ(ErrorCodeOf(status), kScratchUnavailable) << status;
}

}  // namespace
}  // namespace badger
}  // namespace sluice
