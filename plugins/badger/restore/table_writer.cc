#include "sluice/plugins/badger/restore/table_writer.h"

#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr int kZstdLevel = 1;  // Badger's own
constexpr uint64_t kMax32 = std::numeric_limits<uint32_t>::max();

template <typename T>
void AppendBigEndian(T value, std::string& out) {
  for (size_t i = sizeof(T); i > 0; --i) {
    out.push_back(static_cast<char>(value >> (8 * (i - 1))));
  }
}

template <typename T>
void AppendLittleEndian(T value, std::string& out) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

// The checksum of `bytes` as a message, then the message's length.
void AppendChecksum(absl::string_view bytes, std::string& out) {
  const size_t before = out.size();
  const uint32_t checksum = Crc32c(bytes);
  AppendPbVarint(2, checksum, out);
  AppendBigEndian(static_cast<uint32_t>(out.size() - before), out);
}

size_t CommonPrefix(absl::string_view a, absl::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + most, b.begin()).first - a.begin());
}

// Statistics have 32 bits and stay at their largest.
uint32_t Saturated(uint64_t value) {
  return static_cast<uint32_t>(std::min(value, kMax32));
}

}  // namespace

TableWriter::TableWriter(TableOptions options, Output output)
    : options_(options), output_(std::move(output)) {}

absl::Status TableWriter::Add(const StreamEntry& entry) {
  internal_key_.assign(entry.key.data(), entry.key.size());
  AppendBigEndian(~entry.version, internal_key_);
  AppendEntry(entry);
  if (entries_ == 0 || entry.key != last_key_) {
    key_hashes_.push_back(BloomHash(entry.key));
    last_key_.assign(entry.key.data(), entry.key.size());
  }
  ++entries_;
  parts_.max_version = std::max(parts_.max_version, entry.version);
  return block_.size() < options_.block_bytes ? absl::OkStatus() : CloseBlock();
}

void TableWriter::AppendEntry(const StreamEntry& entry) {
  size_t overlap = 0;
  if (entry_offsets_.empty()) {
    base_key_ = internal_key_;
  } else {
    overlap = CommonPrefix(base_key_, internal_key_);
  }
  entry_offsets_.push_back(static_cast<uint32_t>(block_.size()));
  AppendLittleEndian(static_cast<uint16_t>(overlap), block_);
  AppendLittleEndian(static_cast<uint16_t>(internal_key_.size() - overlap),
                     block_);
  block_.append(internal_key_, overlap);
  block_.push_back(static_cast<char>(entry.meta));
  block_.push_back(static_cast<char>(entry.user_meta));
  AppendVarint(entry.expires_at, block_);
  block_.append(entry.value.data(), entry.value.size());
}

absl::Status TableWriter::CloseBlock() {
  for (const uint32_t offset : entry_offsets_) {
    AppendLittleEndian(offset, block_);
  }
  AppendBigEndian(static_cast<uint32_t>(entry_offsets_.size()), block_);
  AppendChecksum(block_, block_);
  absl::string_view stored;
  SLUICE_RETURN_IF_ERROR(Compress(stored));
  if (block_bytes_ + stored.size() > kMaxTableBytes) {
    return MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported,
                     "write table: beyond 3.5 GiB, the versions of one key do "
                     "not fit into a table");
  }
  SLUICE_RETURN_IF_ERROR(output_(stored));
  parts_.blocks.push_back({base_key_, static_cast<uint32_t>(block_bytes_),
                           static_cast<uint32_t>(stored.size())});
  block_bytes_ += stored.size();
  uncompressed_bytes_ += block_.size();
  block_.clear();
  entry_offsets_.clear();
  return absl::OkStatus();
}

absl::Status TableWriter::Compress(absl::string_view& stored) {
  switch (options_.compression) {
    case Compression::kNone:
      stored = block_;
      return absl::OkStatus();
    case Compression::kSnappy: {
      compressed_.resize(snappy::MaxCompressedLength(block_.size()));
      size_t size = 0;
      snappy::RawCompress(block_.data(), block_.size(), compressed_.data(),
                          &size);
      stored = absl::string_view(compressed_).substr(0, size);
      return absl::OkStatus();
    }
    case Compression::kZstd: {
      compressed_.resize(ZSTD_compressBound(block_.size()));
      const size_t size =
          ZSTD_compress(compressed_.data(), compressed_.size(), block_.data(),
                        block_.size(), kZstdLevel);
      if (ZSTD_isError(size)) {
        return MakeError(
            absl::StatusCode::kResourceExhausted, kResourceExhausted,
            absl::StrCat("compress block: ", ZSTD_getErrorName(size)));
      }
      stored = absl::string_view(compressed_).substr(0, size);
      return absl::OkStatus();
    }
  }
  return absl::InternalError(absl::StrCat(
      "unknown compression type ", static_cast<int>(options_.compression)));
}

absl::Status TableWriter::Finish() {
  if (!entry_offsets_.empty()) SLUICE_RETURN_IF_ERROR(CloseBlock());
  parts_.entries = Saturated(entries_);
  parts_.uncompressed_bytes = Saturated(uncompressed_bytes_);
  parts_.block_bytes = static_cast<uint32_t>(block_bytes_);
  std::string footer;
  if (options_.format == DiskFormat::kBadger4) {
    parts_.bloom_filter = BuildBloomFilter8(key_hashes_);
    footer = BuildIndex8(parts_);
  } else {
    parts_.bloom_filter = BuildBloomFilter7();
    footer = BuildIndex7(parts_);
  }
  const size_t index_bytes = footer.size();
  if (block_bytes_ + index_bytes > kMax32) {
    return MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported,
                     "write table: its index does not fit into 4 GiB");
  }
  AppendBigEndian(static_cast<uint32_t>(index_bytes), footer);
  std::string checksum;
  AppendChecksum(absl::string_view(footer).substr(0, index_bytes), checksum);
  footer += checksum;
  return output_(footer);
}

}  // namespace badger
}  // namespace sluice
