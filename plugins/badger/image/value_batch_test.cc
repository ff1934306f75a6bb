#include "sluice/plugins/badger/image/value_batch.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/image/value_logs.h"
#include "sluice/plugins/badger/testing/damaged_folder.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

using Piece = DamagedFolder::Piece;

constexpr char kLog[] = "000000.vlog";

std::string PointerBytes(const ValuePointer& pointer) {
  std::string bytes;
  for (uint32_t number : {pointer.file, pointer.size, pointer.offset}) {
    for (int i = 0; i < 4; ++i, number >>= 8) {
      bytes.push_back(static_cast<char>(number));
    }
  }
  return bytes;
}

// Value logs that are being made, and where each of their records lies.
class LogMaker {
 public:
  // Of key `key`, version 1, in log `file`.
  ValuePointer Add(uint32_t file, const std::string& key,
                   const std::string& value) {
    std::string record = {static_cast<char>(0), static_cast<char>(0)};
    AppendVarint(key.size() + kVersionBytes, record);
    AppendVarint(value.size(), record);
    AppendVarint(0, record);
    record += key + BigEndian32(~0U) + BigEndian32(~1U) + value;
    record += BigEndian32(Crc32c(record));
    std::string& log = logs_[Name(file)];
    if (log.empty()) log.assign(kLogHeaderBytes, '\0');
    const ValuePointer pointer = {file, static_cast<uint32_t>(record.size()),
                                  static_cast<uint32_t>(log.size())};
    log += record;
    return pointer;
  }
  void Skip(size_t bytes) { logs_[kLog].append(bytes, '\0'); }

  const std::map<std::string, std::string>& files() const { return logs_; }
  std::map<uint32_t, std::string> names() const {
    std::map<uint32_t, std::string> names;
    for (const auto& log : logs_) names[log.first[5] - '0'] = log.first;
    return names;
  }

 private:
  static std::string Name(uint32_t file) {
    return "00000" + std::to_string(file) + ".vlog";
  }

  std::map<std::string, std::string> logs_;
};

class ValueBatchTest : public ::testing::Test {
 protected:
  // The pieces of kLog that are read for `pointers`, in this order.
  std::vector<Piece> ReadsFor(const std::vector<ValuePointer>& pointers) {
    DamagedFolder folder(maker_.files());
    ValueLogs logs(folder, keys_, maker_.names());
    ValueBatch batch;
    for (const ValuePointer& pointer : pointers) batch.Add({"k", 1}, pointer);
    batch.Start(logs);
    batch.Finish(logs);
    for (size_t i = 0; i < pointers.size(); ++i) {
      EXPECT_TRUE(batch.value(i).has_value()) << i;
    }
    std::vector<Piece> reads = folder.TakeReads(kLog);
    EXPECT_EQ(reads.front().size, kLogHeaderBytes);
    reads.erase(reads.begin());
    return reads;
  }

  LogMaker maker_;
  const KeyRegistry keys_{};
};

TEST_F(ValueBatchTest, ReadsNeighboursInOneGo) {
  std::vector<ValuePointer> pointers;
  for (int i = 0; i < 40; ++i) pointers.push_back(maker_.Add(0, "k", "value"));
  const std::vector<Piece> reads = ReadsFor(pointers);
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].offset, kLogHeaderBytes);
  EXPECT_EQ(reads[0].size, 40 * pointers[0].size);
}

TEST_F(ValueBatchTest, ReadsWithThemWhatLiesBetweenUpToAPage) {
  const ValuePointer first = maker_.Add(0, "k", "1");
  maker_.Skip(ValueBatch::kMaxGapBytes);
  const ValuePointer second = maker_.Add(0, "k", "2");
  maker_.Skip(ValueBatch::kMaxGapBytes + 1);
  const ValuePointer third = maker_.Add(0, "k", "3");
  EXPECT_EQ(ReadsFor({first, second, third}).size(), 2u);
}

TEST_F(ValueBatchTest, ReadsNoMoreThanARunAtOnce) {
  std::vector<ValuePointer> pointers;
  for (int i = 0; i < 40; ++i) {
    pointers.push_back(maker_.Add(0, "k", std::string(10000, 'v')));
  }
  for (const Piece& read : ReadsFor(pointers)) {
    EXPECT_LE(read.size, ValueBatch::kMaxRunBytes);
  }
}

TEST_F(ValueBatchTest, ReadsWhatItMustWaitForInTheOrderOfTheLog) {
  std::vector<ValuePointer> pointers;
  for (int i = 0; i < 40; ++i) {
    pointers.push_back(maker_.Add(0, "k", "value"));
    maker_.Skip(ValueBatch::kMaxGapBytes + 1);
  }
  std::shuffle(pointers.begin(), pointers.end(), std::mt19937(1));
  const std::vector<Piece> reads = ReadsFor(pointers);
  EXPECT_EQ(reads.size(), pointers.size());
  EXPECT_TRUE(std::is_sorted(
      reads.begin(), reads.end(),
      [](const Piece& a, const Piece& b) { return a.offset < b.offset; }));
}

// Whatever pointers say: a value is read only where Resolve finds the same.
TEST_F(ValueBatchTest, OfFrontsReadsNoMoreThanItTakesToKnowTheKey) {
  const ValuePointer first = maker_.Add(0, "k", std::string(100000, 'v'));
  const ValuePointer second = maker_.Add(0, "k", std::string(50000, 'v'));
  DamagedFolder folder(maker_.files());
  ValueLogs logs(folder, keys_, maker_.names());
  ValueBatch batch(ValueBatch::Part::kFront);
  batch.Add({"k", 1}, first);
  batch.Add({"k", 2}, second);
  batch.Add({"k", 1}, second);
  batch.Start(logs);
  batch.Finish(logs);
  EXPECT_EQ(batch.value_bytes(0), 100000u);
  EXPECT_FALSE(batch.value_bytes(1).has_value()) << "another version's";
  EXPECT_EQ(batch.value_bytes(2), 50000u);
  uint64_t bytes = 0;
  for (const Piece& read : folder.TakeReads(kLog)) bytes += read.size;
  EXPECT_LT(bytes, 300u);
}

class BatchOfAnyPointersTest : public ValueBatchTest {
 protected:
  BatchOfAnyPointersTest() {
    uint64_t seed = std::random_device()();
    const char* text = getenv("SLUICE_BADGER_SEED");
    if (text != nullptr && !absl::SimpleAtoi(text, &seed)) seed = 0;
    std::cout << "SLUICE_BADGER_SEED=" << seed << std::endl;
    random_.seed(seed);
    for (int i = 0; i < 600; ++i) {
      pointers_.push_back(maker_.Add(Draw(3), "k" + std::to_string(i % 7),
                                     std::string(Draw(9000), 'a' + i % 26)));
    }
  }

  uint32_t Draw(uint32_t bound) {
    return static_cast<uint32_t>(random_() % bound);
  }

  // One that is right, or in one of these ways is not.
  ValuePointer DrawPointer() {
    ValuePointer pointer = pointers_[Draw(pointers_.size())];
    switch (Draw(12)) {
      case 0:
        pointer.size = Draw(20000);
        break;
      case 1:
        pointer.offset += Draw(3) - 1;
        break;
      case 2:
        pointer.offset = static_cast<uint32_t>(random_());
        break;
      case 3:
        pointer.file = Draw(5);
        break;
      default:
        break;
    }
    return pointer;
  }

  struct Asked {
    std::string key;
    ValuePointer pointer;
  };

  // Some lie one after the other, as a bulk load leaves them.
  std::vector<Asked> DrawBatch() {
    std::vector<Asked> batch;
    for (uint32_t i = Draw(200); i > 0; --i) {
      ValuePointer pointer = DrawPointer();
      for (uint32_t run = Draw(4); run > 0; --run) {
        batch.push_back({"k" + std::to_string(Draw(7)), pointer});
        pointer.offset += pointer.size;
      }
    }
    return batch;
  }

  // Batches over `folder`, one after the other.
  void CompareWithResolve(FileSystem& folder) {
    ValueLogs logs(folder, keys_, maker_.names());
    ValueBatch batch;
    ValueBatch fronts(ValueBatch::Part::kFront);
    int read = 0;
    int not_read = 0;
    for (int round = 0; round < 40; ++round) {
      const std::vector<Asked> asked = DrawBatch();
      for (const Asked& one : asked) {
        batch.Add({one.key, 1}, one.pointer);
        fronts.Add({one.key, 1}, one.pointer);
      }
      for (ValueBatch* const each : {&batch, &fronts}) {
        each->Start(logs);
        each->Finish(logs);
      }
      for (size_t i = 0; i < asked.size(); ++i) {
        // A value's checksum says nothing of a front.
        if (batch.value_bytes(i).has_value()) {
          EXPECT_EQ(fronts.value_bytes(i), batch.value_bytes(i));
        }
        if (!batch.value(i).has_value()) {
          ++not_read;
          continue;
        }
        ++read;
        EXPECT_EQ(*batch.value(i), Resolve(logs, asked[i]));
      }
      batch.Clear();
      fronts.Clear();
    }
    EXPECT_GT(read, 100);
    EXPECT_GT(not_read, 100);
  }

  static std::string Resolve(ValueLogs& logs, const Asked& asked) {
    const std::string bytes = PointerBytes(asked.pointer);
    StoredValue stored;
    stored.meta = kMetaValuePointer;
    stored.bytes = bytes;
    std::string value;
    const absl::Status status = logs.Resolve({asked.key, 1}, stored, value);
    EXPECT_TRUE(status.ok()) << status;
    return value;
  }

  std::mt19937_64 random_;
  std::vector<ValuePointer> pointers_;
};

TEST_F(BatchOfAnyPointersTest, ReadsOnlyWhatResolveFindsAndWaitsForIt) {
  DamagedFolder folder(maker_.files());
  CompareWithResolve(folder);
}

TEST_F(BatchOfAnyPointersTest, ReadsOnlyWhatResolveFindsInMemory) {
  const std::string root = ::testing::TempDir() + "/value_batch_test";
  std::filesystem::create_directories(root);
  for (const auto& [name, bytes] : maker_.files()) {
    WriteBytes(root + "/" + name, bytes);
  }
  const auto folder = FileSystem::Posix()->Beneath(root);
  ASSERT_TRUE(folder.ok());
  CompareWithResolve(*folder.value);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
