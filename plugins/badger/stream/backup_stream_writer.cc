#include "sluice/plugins/badger/stream/backup_stream_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/stream/backup_stream_format.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint32_t kKey = 1;
constexpr uint32_t kValue = 2;
constexpr uint32_t kUserMeta = 3;
constexpr uint32_t kVersion = 4;
constexpr uint32_t kExpiresAt = 5;
constexpr uint32_t kMeta = 6;
constexpr size_t kOneByteField = 3;  // tag, length, the byte

size_t BytesFieldSize(absl::string_view bytes) {
  return 1 + VarintSize(bytes.size()) + bytes.size();
}

// Of the KV message without its own tag and length.
size_t EntrySize(const StreamEntry& entry) {
  size_t size = BytesFieldSize(entry.key) + 2 * kOneByteField;
  if (!entry.value.empty()) size += BytesFieldSize(entry.value);
  if (entry.version != 0) size += 1 + VarintSize(entry.version);
  if (entry.expires_at != 0) size += 1 + VarintSize(entry.expires_at);
  return size;
}

// Where the next byte of a buffer goes that has room for all of them.
class Place {
 public:
  explicit Place(char* at) : at_(at) {}

  void Byte(uint32_t byte) { *at_++ = static_cast<char>(byte); }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) Byte(static_cast<uint8_t>(value | 0x80));
    Byte(static_cast<uint8_t>(value));
  }
  void Tag(uint32_t number, PbType type) {
    Byte(number << 3 | static_cast<uint32_t>(type));
  }
  void Bytes(uint32_t number, absl::string_view bytes) {
    Tag(number, PbType::kBytes);
    Varint(bytes.size());
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void OneByte(uint32_t number, uint8_t byte) {
    Tag(number, PbType::kBytes);
    Byte(1);
    Byte(byte);
  }
  void Number(uint32_t number, uint64_t value) {
    Tag(number, PbType::kVarint);
    Varint(value);
  }

 private:
  char* at_;
};

// Badger writes both meta fields always, and leaves out what is 0 or empty.
void AppendEntry(const StreamEntry& entry, std::string& out) {
  const size_t size = EntrySize(entry);
  const size_t before = out.size();
  out.resize(before + 1 + VarintSize(size) + size);
  Place place(&out[before]);
  place.Tag(kListEntry, PbType::kBytes);
  place.Varint(size);
  place.Bytes(kKey, entry.key);
  if (!entry.value.empty()) place.Bytes(kValue, entry.value);
  place.OneByte(kUserMeta, entry.user_meta);
  if (entry.version != 0) place.Number(kVersion, entry.version);
  if (entry.expires_at != 0) place.Number(kExpiresAt, entry.expires_at);
  place.OneByte(kMeta, entry.meta & kMetaMeaning);
}

absl::Status CheckLoadable(const StreamEntry& entry) {
  if (!entry.key.empty() && entry.key.size() <= kMaxStreamKeyBytes &&
      entry.value.size() <= kMaxStreamValueBytes) {
    return absl::OkStatus();
  }
  return MakeError(
      absl::StatusCode::kFailedPrecondition, kSourceFailed,
      absl::StrCat("write backup stream: a key of ", entry.key.size(),
                   " bytes with a value of ", entry.value.size(),
                   " bytes is beyond what Badger loads"));
}

}  // namespace

BackupStreamWriter::BackupStreamWriter(Output output, size_t frame_bytes)
    : output_(std::move(output)),
      frame_bytes_(frame_bytes),
      frame_(kFrameLengthBytes, '\0') {}

absl::Status BackupStreamWriter::Add(const StreamEntry& entry) {
  SLUICE_RETURN_IF_ERROR(CheckLoadable(entry));
  AppendEntry(entry, frame_);
  ++entries_;
  max_version_ = std::max(max_version_, entry.version);
  return frame_.size() - kFrameLengthBytes < frame_bytes_ ? absl::OkStatus()
                                                          : CloseFrame();
}

absl::Status BackupStreamWriter::Finish() {
  return frame_.size() == kFrameLengthBytes ? absl::OkStatus() : CloseFrame();
}

absl::Status BackupStreamWriter::CloseFrame() {
  const uint64_t length = frame_.size() - kFrameLengthBytes;
  for (size_t i = 0; i < kFrameLengthBytes; ++i) {
    frame_[i] = static_cast<char>(length >> (8 * i));
  }
  const absl::Status status = output_(frame_);
  // One large value is not to hold its memory for the rest of the run.
  if (frame_.capacity() > 4 * frame_bytes_) std::string().swap(frame_);
  frame_.assign(kFrameLengthBytes, '\0');
  return status;
}

}  // namespace badger
}  // namespace sluice
