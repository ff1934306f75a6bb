#include "sluice/plugins/badger/format/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/decompress.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/checksum.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {

std::string TableFileName(uint64_t id) {
  return absl::StrFormat("%06d.sst", id);
}

absl::StatusOr<std::unique_ptr<Table>> Table::Open(FileSystem& folder,
                                                   const ManifestTable& listed,
                                                   const AesKey* key,
                                                   int manifest_version) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<RandomFile> file,
                          RandomFile::Open(folder, TableFileName(listed.id)));
  std::unique_ptr<Table> table(new Table(std::move(file), listed, key));
  SLUICE_RETURN_IF_ERROR(table->ReadIndex(manifest_version));
  return table;
}

absl::Status Table::ReadIndex(int manifest_version) {
  uint64_t begin = 0;
  uint64_t size = 0;
  uint32_t crc = 0;
  SLUICE_RETURN_IF_ERROR(ReadFooter(begin, size, crc));
  // Before it is held: then what it costs is what a table of that size costs.
  SLUICE_RETURN_IF_ERROR(VerifyIndex(begin, size, crc));
  std::string bytes;
  SLUICE_RETURN_IF_ERROR(file_->Read(begin, size, bytes));
  SLUICE_RETURN_IF_ERROR(Decrypt("index", bytes));
  SLUICE_ASSIGN_OR_RETURN(
      index_, TableIndex::Parse(manifest_version, std::move(bytes), name()));
  if (index_.blocks_end() != begin) {
    return Damaged(name(), "its index does not follow its last block");
  }
  return absl::OkStatus();
}

absl::Status Table::ReadFooter(uint64_t& begin, uint64_t& size, uint32_t& crc) {
  constexpr uint64_t kLengthBytes = 4;
  uint64_t end = file_->size();
  if (end > UINT32_MAX) return Damaged(name(), "longer than 4 GiB");
  if (end < 2 * kLengthBytes) return Damaged(name(), "too short for a table");
  end -= kLengthBytes;
  SLUICE_ASSIGN_OR_RETURN(absl::string_view field,
                          file_->View(end, kLengthBytes));
  const uint64_t checksum_size = BigEndianAt(field, 0, kLengthBytes);
  if (checksum_size > kMaxChecksumBytes || checksum_size + kLengthBytes > end) {
    return Damaged(name(), "its checksum is out of bounds");
  }
  end -= checksum_size;
  SLUICE_ASSIGN_OR_RETURN(field, file_->View(end, checksum_size));
  switch (ParseChecksum(field, crc)) {
    case ChecksumKind::kDamaged:
      return Damaged(name(), "its checksum is malformed");
    case ChecksumKind::kUnknownAlgorithm:
      return Unreadable(name(), "a checksum that is not CRC-32C");
    case ChecksumKind::kCrc32c:
      break;
  }
  end -= kLengthBytes;
  SLUICE_ASSIGN_OR_RETURN(field, file_->View(end, kLengthBytes));
  size = BigEndianAt(field, 0, kLengthBytes);
  if (size > end) return Damaged(name(), "its index is out of bounds");
  begin = end - size;
  return absl::OkStatus();
}

absl::Status Table::VerifyIndex(uint64_t begin, uint64_t size, uint32_t crc) {
  uint32_t actual = 0;
  for (uint64_t done = 0; done < size;) {
    const size_t count =
        std::min<uint64_t>(size - done, RandomFile::kWindowBytes);
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view piece,
                            file_->View(begin + done, count));
    actual = ExtendCrc32c(actual, piece);
    done += count;
  }
  if (actual != crc) return Damaged(name(), "its index: checksum mismatch");
  return absl::OkStatus();
}

absl::Status Table::Decrypt(absl::string_view what, std::string& bytes) const {
  if (key_ == nullptr) return absl::OkStatus();
  if (bytes.size() < kIvBytes) {
    return Damaged(name(), absl::StrCat(what, " is too short for its IV"));
  }
  const std::string iv = bytes.substr(bytes.size() - kIvBytes);
  bytes.resize(bytes.size() - kIvBytes);
  key_->Apply(iv, absl::MakeSpan(bytes));
  return absl::OkStatus();
}

absl::Status Table::ReadBlock(size_t i, std::string& plain, Block& block) {
  const TableIndex::BlockRef ref = index_.BlockAt(i);
  const std::string block_name = absl::StrCat(name(), ", block ", i);
  if (ref.size > kMaxBlockBytes) {
    return Damaged(block_name, absl::StrCat(ref.size, " bytes long"));
  }
  SLUICE_ASSIGN_OR_RETURN(absl::string_view stored,
                          file_->View(ref.offset, ref.size));
  if (key_ != nullptr) {
    stored_.assign(stored.data(), stored.size());
    SLUICE_RETURN_IF_ERROR(Decrypt(block_name, stored_));
    stored = stored_;
  }
  if (!Decompress(listed_.compression, stored, plain)) {
    return Damaged(block_name, "it does not decompress");
  }
  return block.Parse(plain, block_name);
}

absl::Status TableSource::Seek(absl::string_view user_key) {
  previous_key_.clear();
  SLUICE_RETURN_IF_ERROR(
      LoadBlock(table_->index().BlockFor(user_key, UINT64_MAX)));
  while (valid_ && internal_key_.user_key < user_key) {
    SLUICE_RETURN_IF_ERROR(Next());
  }
  return absl::OkStatus();
}

absl::Status TableSource::Next() {
  ++entry_;
  if (entry_ < block_.size()) return Load();
  if (block_index_ + 1 < table_->index().size()) {
    return LoadBlock(block_index_ + 1);
  }
  valid_ = false;
  return absl::OkStatus();
}

absl::Status TableSource::LoadBlock(size_t i) {
  block_index_ = i;
  entry_ = 0;
  valid_ = false;
  SLUICE_RETURN_IF_ERROR(table_->ReadBlock(i, plain_, block_));
  SLUICE_RETURN_IF_ERROR(Load());
  if (absl::string_view(key_) != table_->index().BlockAt(i).key) {
    return Damaged(table_->name(), absl::StrCat("block ", i,
                                                " does not begin with the key "
                                                "that the index says"));
  }
  return absl::OkStatus();
}

absl::Status TableSource::Load() {
  key_.swap(previous_key_);
  SLUICE_RETURN_IF_ERROR(block_.Read(entry_, key_, value_));
  InternalKey previous;
  if (!ParseInternalKey(key_, internal_key_)) {
    return Damaged(table_->name(), "a malformed key");
  }
  if (ParseInternalKey(previous_key_, previous) &&
      Compare(previous, internal_key_) >= 0) {
    return Damaged(table_->name(),
                   absl::StrCat(Describe(internal_key_), " does not ascend"));
  }
  valid_ = true;
  return absl::OkStatus();
}

StoredValue TableSource::value() const {
  StoredValue value;
  value.meta = value_.meta;
  value.user_meta = value_.user_meta;
  value.expires_at = value_.expires_at;
  value.bytes = value_.bytes;
  return value;
}

}  // namespace badger
}  // namespace sluice
