#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_stream_reader.h"
#include "sluice/plugins/badger/stream/backup_stream_writer.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

StreamEntry Entry(absl::string_view key, absl::string_view value,
                  uint64_t version) {
  StreamEntry entry;
  entry.key = key;
  entry.value = value;
  entry.version = version;
  return entry;
}

std::string Show(const StreamEntry& entry) {
  return std::string(entry.key) + "@" + std::to_string(entry.version) + "=" +
         std::string(entry.value.substr(0, 20)) + "/" +
         std::to_string(entry.value.size()) + " meta " +
         std::to_string(entry.meta) + " user " +
         std::to_string(entry.user_meta) + " until " +
         std::to_string(entry.expires_at);
}

std::string Written(const std::vector<StreamEntry>& entries,
                    size_t frame_bytes = BackupStreamWriter::kFrameBytes) {
  std::string stream;
  BackupStreamWriter writer(
      [&stream](absl::string_view bytes) {
        stream.append(bytes.data(), bytes.size());
        return absl::OkStatus();
      },
      frame_bytes);
  for (const StreamEntry& entry : entries) {
    EXPECT_TRUE(writer.Add(entry).ok());
  }
  EXPECT_TRUE(writer.Finish().ok());
  return stream;
}

struct Frames {
  std::vector<std::string> entries;
  absl::Status status;
};

Frames Read(absl::string_view stream, size_t piece) {
  Frames frames;
  BackupStreamReader reader([&frames](const StreamEntry& entry) {
    frames.entries.push_back(Show(entry));
    return absl::OkStatus();
  });
  frames.status = FeedInPieces(reader, stream, piece);
  return frames;
}

Frames Read(absl::string_view stream) { return Read(stream, stream.size()); }

std::string Frame(const std::string& body) {
  std::string frame;
  for (int i = 0; i < 8; ++i) {
    frame.push_back(static_cast<char>(uint64_t{body.size()} >> (8 * i)));
  }
  return frame + body;
}

std::string FrameOfKv(const std::string& kv) {
  std::string body;
  AppendPbBytes(1, kv, body);
  return Frame(body);
}

std::string Kv(absl::string_view key, uint64_t version) {
  std::string kv;
  AppendPbBytes(1, key, kv);
  AppendPbVarint(4, version, kv);
  return kv;
}

std::vector<StreamEntry> Several() {
  std::vector<StreamEntry> entries = {
      Entry("a", "one", 7), Entry("a", "", 3), Entry("b", "two", 0),
      Entry(absl::string_view("\0\xff", 2), "binary", ~uint64_t{0} - 1)};
  entries[0].user_meta = 9;
  entries[0].expires_at = 4102444800;
  entries[1].meta = kMetaDelete;
  entries[2].meta = kMetaMergeEntry | kMetaDiscardEarlier;
  return entries;
}

TEST(BackupStreamTest, GivesBackWhatWasWrittenHoweverItIsCut) {
  const std::vector<StreamEntry> entries = Several();
  std::vector<std::string> wanted;
  for (const StreamEntry& entry : entries) wanted.push_back(Show(entry));
  for (const size_t frame_bytes : {size_t{1}, size_t{40}, size_t{1} << 20}) {
    const std::string stream = Written(entries, frame_bytes);
    for (size_t piece = 1; piece <= stream.size(); ++piece) {
      const Frames frames = Read(stream, piece);
      ASSERT_TRUE(frames.status.ok()) << frames.status << " " << piece;
      ASSERT_EQ(frames.entries, wanted) << piece;
    }
  }
}

TEST(BackupStreamTest, IsByteForByteWhatBadgerWrites) {
  // key, value, user_meta, version, expires_at, meta, as `badger backup` orders
  // them.
  StreamEntry entry = Entry("k1", "hello", 5);
  entry.user_meta = 7;
  entry.meta = kMetaDelete | 0x40 | 0x02;
  EXPECT_EQ(Written({entry}),
            Frame(std::string("\x0a\x13\x0a\x02k1\x12\x05hello"
                              "\x1a\x01\x07\x20\x05\x32\x01\x01",
                              21)));
}

TEST(BackupStreamTest, ClosesAFrameOnceItIsFull) {
  std::vector<StreamEntry> entries;
  const std::string value(1000, 'v');
  for (uint64_t i = 0; i < 10; ++i) entries.push_back(Entry("key", value, i));
  std::vector<size_t> frames;
  BackupStreamWriter writer(
      [&frames](absl::string_view bytes) {
        frames.push_back(bytes.size());
        return absl::OkStatus();
      },
      2500);
  for (const StreamEntry& entry : entries) ASSERT_TRUE(writer.Add(entry).ok());
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_EQ(frames.size(), 4u);
  EXPECT_EQ(writer.entries(), 10u);
  EXPECT_EQ(writer.max_version(), 9u);
  for (const size_t size : frames) EXPECT_LT(size, 3600u);
}

TEST(BackupStreamTest, AStreamOfNothingHasNoBytes) {
  EXPECT_EQ(Written({}), "");
  EXPECT_TRUE(Read("").status.ok());
}

TEST(BackupStreamTest, TheWriterStopsWithTheErrorOfItsOutput) {
  BackupStreamWriter writer(
      [](absl::string_view) { return absl::CancelledError("stop"); }, 1);
  EXPECT_EQ(writer.Add(Entry("a", "b", 1)), absl::CancelledError("stop"));
}

TEST(BackupStreamTest, TheWriterRefusesWhatNoBadgerLoads) {
  BackupStreamWriter writer([](absl::string_view) { return absl::OkStatus(); });
  EXPECT_EQ(ErrorCodeOf(writer.Add(Entry("", "b", 1))), kSourceFailed);
  const std::string key(kMaxStreamKeyBytes + 1, 'k');
  EXPECT_EQ(ErrorCodeOf(writer.Add(Entry(key, "b", 1))), kSourceFailed);
  EXPECT_TRUE(writer.Add(Entry(absl::string_view(key).substr(1), "b", 1)).ok());
}

TEST(BackupStreamTest, TheReaderStopsForGoodWithTheErrorOfItsVisitor) {
  int calls = 0;
  BackupStreamReader reader([&calls](const StreamEntry&) {
    ++calls;
    return absl::CancelledError("stop");
  });
  EXPECT_EQ(reader.Feed(Written(Several())), absl::CancelledError("stop"));
  EXPECT_EQ(reader.Feed("more"), absl::CancelledError("stop"));
  EXPECT_EQ(reader.Finish(), absl::CancelledError("stop"));
  EXPECT_EQ(calls, 1);
}

TEST(BackupStreamTest, AStreamCutWithinAFrameIsDamaged) {
  const std::string stream = Written(Several(), 1 << 20);
  for (size_t size = 1; size < stream.size(); ++size) {
    const Frames frames = Read(absl::string_view(stream).substr(0, size));
    EXPECT_EQ(ErrorCodeOf(frames.status), kArchiveDamaged) << size;
  }
}

TEST(BackupStreamTest, PassesOverWhatIsNoEntry) {
  std::string body;
  AppendPbVarint(10, 12345, body);                   // alloc_ref
  AppendPbBytes(99, std::string(70000, 'x'), body);  // a later version's
  AppendPbBytes(1, Kv("key", 4), body);
  std::string done;
  AppendPbVarint(10, 3, done);
  AppendPbVarint(11, 1, done);
  AppendPbBytes(1, done, body);
  body += std::string("\x6d\x01\x02\x03\x04", 5);  // 13: fixed32
  const std::string stream = Frame(body) + Frame("") + FrameOfKv(Kv("l", 1));
  for (const size_t piece : {size_t{1}, size_t{3}, stream.size()}) {
    const Frames frames = Read(stream, piece);
    EXPECT_TRUE(frames.status.ok()) << frames.status;
    EXPECT_EQ(frames.entries.size(), 2u);
  }
}

TEST(BackupStreamTest, NeverTakesAValueForAPointer) {
  std::string kv = Kv("key", 4);
  AppendPbBytes(6, "\xff", kv);
  EXPECT_EQ(Read(FrameOfKv(kv)).entries,
            std::vector<std::string>{"key@4=/0 meta 13 user 0 until 0"});
}

TEST(BackupStreamTest, RefusesEntriesThatNoStoreCanHold) {
  std::string two_bytes = Kv("key", 1);
  AppendPbBytes(6, "ab", two_bytes);
  std::string wrong_type = Kv("key", 1);
  AppendPbBytes(4, "ab", wrong_type);
  const std::string long_key(kMaxStreamKeyBytes + 1, 'k');
  for (const std::string& kv :
       {Kv("", 1), Kv("!badger!head", 1), Kv(long_key, 1),
        Kv("key", ~uint64_t{0}), two_bytes, wrong_type, std::string("\x0a"),
        std::string("\x03")}) {
    const Frames frames = Read(FrameOfKv(kv));
    EXPECT_EQ(ErrorCodeOf(frames.status), kArchiveDamaged) << kv.substr(0, 9);
  }
}

TEST(BackupStreamTest, BelievesNoLength) {
  const std::string huge_frame = "\xff\xff\xff\xff\xff\xff\xff\x7f";
  EXPECT_EQ(ErrorCodeOf(Read(huge_frame + "x").status), kArchiveDamaged);
  // An entry that claims 1 GiB in a frame that claims it, too; and then 2 GiB.
  const std::string large("\x10\x00\x00\x40\x00\x00\x00\x00", 8);
  EXPECT_EQ(ErrorCodeOf(Read(large + "\x0a\x80\x80\x80\x80\x04xyz").status),
            kArchiveDamaged);
  EXPECT_EQ(ErrorCodeOf(Read(large + "\x0a\x80\x80\x80\x80\x08xyz").status),
            kArchiveDamaged);
  // An entry longer than its frame, though the bytes are there.
  EXPECT_EQ(ErrorCodeOf(Read(Frame("\x0a\x7f") + std::string(200, 'x')).status),
            kArchiveDamaged);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
