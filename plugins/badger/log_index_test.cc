#include "sluice/plugins/badger/log_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/entry.h"
#include "sluice/plugins/badger/fuzz_bytes.h"
#include "sluice/plugins/badger/key_registry.h"
#include "sluice/plugins/badger/log_file.h"
#include "sluice/plugins/badger/log_record.h"
#include "sluice/plugins/badger/string_file.h"

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
  absl::Status Add(const std::string& records, LogIndex& index) {
    auto log = LogFile::Create(
        FileOf(std::string(kLogHeaderBytes, '\0') + records), keys_);
    EXPECT_TRUE(log.ok());
    logs_.push_back(*std::move(log));
    return index.Add(*logs_.back(), kLogHeaderBytes).status();
  }

  const KeyRegistry keys_{};
  std::vector<std::unique_ptr<LogFile>> logs_;
};

// Key, version and user meta of each entry from `user_key` on.
std::string From(const LogIndex& index, absl::string_view user_key) {
  std::string all;
  LogSource source(index);
  EXPECT_TRUE(source.Seek(user_key).ok());
  while (source.Valid()) {
    all += std::string(source.key().user_key) +
           std::to_string(source.key().version) + ":" +
           std::to_string(source.value().user_meta) + " ";
    EXPECT_TRUE(source.Next().ok());
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

}  // namespace
}  // namespace badger
}  // namespace sluice
