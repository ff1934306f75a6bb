#include "sluice/plugins/badger/stream/backup_stream_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/stream/backup_stream_format.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

// Protobuf ends at 2 GiB; Badger's frames hold some 100 MB, or one value.
constexpr uint64_t kMaxFrameBytes = uint64_t{1} << 31;
constexpr size_t kMaxEntryBytes =
    kMaxStreamKeyBytes + kMaxStreamValueBytes + 256;
// A tag and a length.
constexpr size_t kMaxFieldHeadBytes = 20;
// One large value is not to hold its memory for the rest of the run.
constexpr size_t kMostKeptBytes = size_t{1} << 20;

// The head of a field of a KVList: its tag, and the length of what follows.
struct FieldHead {
  uint32_t number = 0;
  PbType type = PbType::kVarint;
  uint64_t body = 0;
  size_t size = 0;
};

enum class HeadResult { kRead, kCut, kBad };

HeadResult ParseFieldHead(absl::string_view bytes, FieldHead& head) {
  ByteCursor cursor(bytes);
  uint64_t tag = 0;
  if (!cursor.Varint(tag)) return HeadResult::kCut;
  if (tag >> 3 == 0 || tag >> 32 != 0) return HeadResult::kBad;
  head.number = static_cast<uint32_t>(tag >> 3);
  head.type = static_cast<PbType>(tag & 7);
  uint64_t value = 0;
  switch (head.type) {
    case PbType::kVarint:
      if (!cursor.Varint(value)) return HeadResult::kCut;
      head.body = 0;
      break;
    case PbType::kBytes:
      if (!cursor.Varint(head.body)) return HeadResult::kCut;
      break;
    case PbType::kFixed64:
      head.body = 8;
      break;
    case PbType::kFixed32:
      head.body = 4;
      break;
    default:
      return HeadResult::kBad;
  }
  head.size = bytes.size() - cursor.rest().size();
  return HeadResult::kRead;
}

// What a KV message says; false where it is none.
struct Message {
  StreamEntry entry;
  bool stream_done = false;

  bool Take(const PbField& field) {
    switch (field.number) {
      case 1:
        entry.key = field.bytes;
        return field.type == PbType::kBytes;
      case 2:
        entry.value = field.bytes;
        return field.type == PbType::kBytes;
      case 3:
        return TakeByte(field, entry.user_meta);
      case 4:
        entry.version = field.value;
        return field.type == PbType::kVarint;
      case 5:
        entry.expires_at = field.value;
        return field.type == PbType::kVarint;
      case 6:
        return TakeByte(field, entry.meta);
      case 11:
        stream_done = field.value != 0;
        return field.type == PbType::kVarint;
      default:
        return true;
    }
  }

  static bool TakeByte(const PbField& field, uint8_t& byte) {
    if (field.type != PbType::kBytes || field.bytes.size() > 1) return false;
    byte = field.bytes.empty() ? 0 : static_cast<uint8_t>(field.bytes[0]);
    return true;
  }
};

// Empty, or why no store can hold `entry`.
absl::string_view WhyRefused(const StreamEntry& entry) {
  if (entry.key.empty()) return "an entry without a key";
  if (entry.key.size() > kMaxStreamKeyBytes) return "a key beyond 65,000 bytes";
  if (entry.value.size() > kMaxStreamValueBytes) return "a value beyond 1 GiB";
  if (absl::StartsWith(entry.key, kInternalPrefix)) {
    return "a key of Badger's own state";
  }
  if (entry.version == ~uint64_t{0}) return "the version 2^64-1";
  return "";
}

}  // namespace

BackupStreamReader::BackupStreamReader(Visitor visitor)
    : visitor_(std::move(visitor)) {}

absl::Status BackupStreamReader::Feed(absl::string_view bytes) {
  while (status_.ok() && !bytes.empty()) status_ = Step(bytes);
  return status_;
}

absl::Status BackupStreamReader::Finish() {
  if (status_.ok() && (state_ != State::kLength || !kept_.empty())) {
    status_ = Damaged("truncated frame at the end of the stream");
  }
  return status_;
}

absl::Status BackupStreamReader::Step(absl::string_view& bytes) {
  switch (state_) {
    case State::kLength:
      return ReadLength(bytes);
    case State::kField:
      return ReadField(bytes);
    case State::kEntry:
      return ReadEntry(bytes);
    case State::kSkip:
      Skip(bytes);
      return absl::OkStatus();
  }
  return absl::InternalError("unreachable parser state");
}

absl::Status BackupStreamReader::ReadLength(absl::string_view& bytes) {
  absl::string_view length;
  if (!Gather(kFrameLengthBytes, bytes, length)) return absl::OkStatus();
  frame_left_ = LittleEndianAt(length, 0, kFrameLengthBytes);
  kept_.clear();
  ++frames_;
  if (frame_left_ > kMaxFrameBytes) return Damaged("a frame beyond 2 GiB");
  if (frame_left_ > 0) state_ = State::kField;
  return absl::OkStatus();
}

absl::Status BackupStreamReader::ReadField(absl::string_view& bytes) {
  const size_t kept = kept_.size();
  const size_t most =
      static_cast<size_t>(std::min<uint64_t>(kMaxFieldHeadBytes, frame_left_));
  const absl::string_view more = bytes.substr(0, most - kept);
  // Only the head of a field that was cut between two pieces is copied.
  if (kept > 0) kept_.append(more.data(), more.size());
  const absl::string_view head_bytes = kept > 0 ? kept_ : more;
  FieldHead head;
  const HeadResult result = ParseFieldHead(head_bytes, head);
  if (result == HeadResult::kCut && head_bytes.size() < most) {
    if (kept == 0) kept_.assign(more.data(), more.size());
    bytes.remove_prefix(more.size());
    return absl::OkStatus();
  }
  if (result != HeadResult::kRead || head.body > frame_left_ - head.size) {
    return Damaged("a malformed list of entries");
  }
  bytes.remove_prefix(head.size - kept);
  kept_.clear();
  frame_left_ -= head.size + head.body;
  left_ = head.body;
  if (head.number != kListEntry) {
    state_ = left_ > 0 ? State::kSkip : StateAfterField();
    return absl::OkStatus();
  }
  if (head.type != PbType::kBytes || left_ == 0) {
    return Damaged("a malformed entry");
  }
  if (left_ > kMaxEntryBytes) return Damaged("an entry beyond 1 GiB");
  state_ = State::kEntry;
  return absl::OkStatus();
}

BackupStreamReader::State BackupStreamReader::StateAfterField() const {
  return frame_left_ > 0 ? State::kField : State::kLength;
}

absl::Status BackupStreamReader::ReadEntry(absl::string_view& bytes) {
  absl::string_view message;
  if (!Gather(static_cast<size_t>(left_), bytes, message)) {
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(Visit(message));
  kept_.clear();
  if (kept_.capacity() > kMostKeptBytes) kept_.shrink_to_fit();
  state_ = StateAfterField();
  return absl::OkStatus();
}

void BackupStreamReader::Skip(absl::string_view& bytes) {
  const size_t count =
      static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  bytes.remove_prefix(count);
  left_ -= count;
  if (left_ == 0) state_ = StateAfterField();
}

bool BackupStreamReader::Gather(size_t count, absl::string_view& bytes,
                                absl::string_view& gathered) {
  if (kept_.empty() && bytes.size() >= count) {
    gathered = bytes.substr(0, count);
    bytes.remove_prefix(count);
    return true;
  }
  const absl::string_view more = bytes.substr(0, count - kept_.size());
  kept_.append(more.data(), more.size());
  bytes.remove_prefix(more.size());
  gathered = kept_;
  return kept_.size() == count;
}

absl::Status BackupStreamReader::Visit(absl::string_view message) {
  Message kv;
  PbReader reader(message);
  PbField field;
  while (reader.Next(field)) {
    if (!kv.Take(field)) return Damaged("a field of the wrong wire type");
  }
  if (!reader.ok()) return Damaged("a malformed entry");
  if (kv.stream_done) return absl::OkStatus();
  if (const absl::string_view why = WhyRefused(kv.entry); !why.empty()) {
    return Damaged(why);
  }
  kv.entry.meta &= kMetaMeaning;
  ++entries_;
  return visitor_(kv.entry);
}

absl::Status BackupStreamReader::Damaged(absl::string_view what) const {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("read backup stream: ", what, ", in frame ",
                                frames_, " after ", entries_, " entries"));
}

}  // namespace badger
}  // namespace sluice
