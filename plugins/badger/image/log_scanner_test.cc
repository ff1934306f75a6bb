#include "sluice/plugins/badger/image/log_scanner.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"
#include "sluice/plugins/badger/testing/string_file.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

const std::string kHeader(kLogHeaderBytes, '\0');

std::string Record(const std::string& key, uint64_t version, uint8_t meta,
                   const std::string& value) {
  std::string bytes;
  bytes.push_back(static_cast<char>(meta));
  bytes.push_back('\7');
  AppendVarint(key.size() + kVersionBytes, bytes);
  AppendVarint(value.size(), bytes);
  AppendVarint(0, bytes);
  bytes += key;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(~version >> shift));
  }
  bytes += value;
  return bytes + BigEndian32(Crc32c(bytes));
}

std::string InTransaction(const std::string& key, uint64_t version) {
  return Record(key, version, kMetaTransaction, "value");
}

std::string EndOf(uint64_t version) {
  return Record(std::string(kTransactionEndKey), version, kMetaTransactionEnd,
                std::to_string(version));
}

class Recorder final : public LogVisitor {
 public:
  absl::Status OnRecord(const ScannedRecord& record) override {
    open_ += absl::StrCat(record.key.user_key, record.key.version, " ");
    return absl::OkStatus();
  }
  void Commit() override {
    counted += open_;
    open_.clear();
  }
  void Drop() override { open_.clear(); }

  std::string counted;

 private:
  std::string open_;
};

struct Scanned {
  std::string counted;
  LogEnd end;
};

Scanned Scan(const std::string& bytes) {
  const KeyRegistry keys;
  const auto log = LogFile::Create(FileOf(bytes), keys);
  EXPECT_TRUE(log.ok());
  Recorder recorder;
  const auto end = ScanLog(**log, kLogHeaderBytes, recorder);
  EXPECT_TRUE(end.ok());
  return {recorder.counted, *end};
}

TEST(LogScannerTest, ReadsTheRecordsThatThePageShows) {
  const std::string record = absl::HexStringToBytes(
      "40070a05006b31fffffffffffffffa68656c6c6fd3bf440d");
  const std::string marker = absl::HexStringToBytes(
      "8000130100216261646765722174786efffffffffffffffa351e4eb6e5");
  const Scanned scanned = Scan(kHeader + record + marker);
  EXPECT_EQ(scanned.counted, "k15 ");
  EXPECT_EQ(scanned.end.valid_end, 20 + record.size() + marker.size());
  EXPECT_EQ(scanned.end.tail, LogTail::kEmpty);
}

TEST(LogScannerTest, CountsATransactionOnlyWithItsEnd) {
  const std::string whole =
      kHeader + InTransaction("a", 3) + InTransaction("b", 3) + EndOf(3);
  EXPECT_EQ(Scan(whole).counted, "a3 b3 ");
  const Scanned open = Scan(whole + InTransaction("c", 4));
  EXPECT_EQ(open.counted, "a3 b3 ");
  EXPECT_EQ(open.end.valid_end, whole.size());
  EXPECT_GT(open.end.record_end, whole.size());
  EXPECT_EQ(open.end.dropped_records, 1u);
  EXPECT_EQ(open.end.tail, LogTail::kEmpty);
}

TEST(LogScannerTest, CountsARecordOutsideATransactionAtOnce) {
  EXPECT_EQ(
      Scan(kHeader + Record("a", 1, 0, "") + Record("a", 2, 0, "")).counted,
      "a1 a2 ");
}

TEST(LogScannerTest, StopsWhereATransactionIsBroken) {
  const std::string first = kHeader + Record("a", 1, 0, "");
  const std::vector<std::string> broken = {
      InTransaction("b", 2) + InTransaction("c", 3) + EndOf(3),
      InTransaction("b", 2) + Record("c", 2, 0, "") + EndOf(2),
      InTransaction("b", 2) + EndOf(3),
      Record("!badger!txn", 2, kMetaTransactionEnd, "2"),
      InTransaction("b", 2) +
          Record("!badger!txn", 2, kMetaTransactionEnd, "two")};
  for (const std::string& rest : broken) {
    const Scanned scanned = Scan(first + rest);
    EXPECT_EQ(scanned.counted, "a1 ");
    EXPECT_EQ(scanned.end.valid_end, first.size());
    EXPECT_EQ(scanned.end.tail, LogTail::kUnreadable);
  }
}

TEST(LogScannerTest, TellsZerosFromAnythingElseBehindTheEnd) {
  const std::string log = kHeader + Record("a", 1, 0, "value");
  EXPECT_EQ(Scan(log + std::string(300000, '\0')).end.tail, LogTail::kEmpty);
  std::string far = log + std::string(300000, '\0');
  far.back() = 1;
  EXPECT_EQ(Scan(far).end.tail, LogTail::kUnreadable);
  const std::string next = Record("b", 2, 0, "value");
  for (size_t size = 1; size < next.size(); ++size) {
    const Scanned cut = Scan(log + next.substr(0, size));
    EXPECT_EQ(cut.counted, "a1 ");
    // The first byte, meta, is 0.
    EXPECT_EQ(cut.end.tail, size == 1 ? LogTail::kEmpty : LogTail::kUnreadable);
  }
}

TEST(LogScannerTest, BelievesNoLengthBeyondTheFile) {
  std::string bytes = kHeader;
  bytes += std::string("\0\0\x09", 3);
  AppendVarint(UINT32_MAX, bytes);
  AppendVarint(0, bytes);
  bytes += std::string(200, 'k');
  EXPECT_EQ(Scan(bytes).counted, "");
  EXPECT_EQ(Scan(bytes).end.tail, LogTail::kUnreadable);
}

TEST(LogFileTest, ReadsARecordByItsPlace) {
  const std::string record = Record("key", 9, 0, "value");
  const std::string bytes = kHeader + record;
  const KeyRegistry keys;
  const auto log = LogFile::Create(FileOf(bytes), keys);
  ASSERT_TRUE(log.ok());
  std::string buffer;
  LogRecord parts;
  const uint32_t size = static_cast<uint32_t>(record.size());
  ASSERT_TRUE((*log)->Read(kLogHeaderBytes, size, buffer, parts).ok());
  EXPECT_EQ(parts.value, "value");
  EXPECT_TRUE(
      IsDangling((*log)->Read(kLogHeaderBytes, size + 1, buffer, parts)));
  EXPECT_TRUE(IsDangling((*log)->Read(0, size, buffer, parts)));
  EXPECT_TRUE(IsDangling((*log)->Read(UINT64_MAX - 2, size, buffer, parts)));
  EXPECT_TRUE(
      absl::IsDataLoss((*log)->Read(kLogHeaderBytes, size - 1, buffer, parts)));
  EXPECT_TRUE(absl::IsDataLoss(
      (*log)->Read(kLogHeaderBytes + 1, size - 1, buffer, parts)));
}

TEST(LogFileTest, RefusesADataKeyThatIsNotThere) {
  std::string bytes = kHeader;
  bytes[7] = 3;
  const KeyRegistry keys;
  EXPECT_TRUE(absl::IsDataLoss(LogFile::Create(FileOf(bytes), keys).status()));
}

TEST(LogFileTest, VerifiesALongRecordBeforeItIsHeld) {
  const std::string value(17 << 20, 'v');
  const std::string record = Record("key", 9, 0, value);
  const KeyRegistry keys;
  std::string buffer;
  LogRecord parts;
  const uint32_t size = static_cast<uint32_t>(record.size());
  const auto whole = LogFile::Create(FileOf(kHeader + record), keys);
  ASSERT_TRUE((*whole)->Read(kLogHeaderBytes, size, buffer, parts).ok());
  EXPECT_EQ(parts.value.size(), value.size());
  std::string flipped = kHeader + record;
  flipped[9 << 20] ^= 1;
  std::string untouched;
  const auto damaged = LogFile::Create(FileOf(flipped), keys);
  EXPECT_TRUE(absl::IsDataLoss(
      (*damaged)->Read(kLogHeaderBytes, size, untouched, parts)));
  EXPECT_LT(untouched.capacity(), 1000u);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
