#include "sluice/plugins/badger/format/decompress.h"

#include <snappy.h>
#include <zstd.h>

#include <cstddef>

namespace sluice {
namespace badger {
namespace {

bool DecompressSnappy(absl::string_view stored, std::string& plain) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(stored.data(), stored.size(), &size)) {
    return false;
  }
  // No element of snappy gives more than 64 bytes for 3.
  if (size > MaxPlainBytes(stored.size()) || size > 32 * stored.size()) {
    return false;
  }
  plain.resize(size);
  return snappy::RawUncompress(stored.data(), stored.size(), plain.data());
}

bool DecompressZstd(absl::string_view stored, std::string& plain) {
  unsigned long long size =
      ZSTD_getFrameContentSize(stored.data(), stored.size());
  const uint64_t most = MaxPlainBytes(stored.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return false;
  const bool is_known = size != ZSTD_CONTENTSIZE_UNKNOWN;
  if (is_known && size > most) return false;
  plain.resize(is_known ? size : most);
  const size_t written =
      ZSTD_decompress(plain.data(), plain.size(), stored.data(), stored.size());
  if (ZSTD_isError(written) != 0) return false;
  const bool is_whole = !is_known || written == size;
  plain.resize(written);
  return is_whole;
}

}  // namespace

bool Decompress(Compression compression, absl::string_view stored,
                std::string& plain) {
  switch (compression) {
    case Compression::kNone:
      plain.assign(stored.data(), stored.size());
      return true;
    case Compression::kSnappy:
      return DecompressSnappy(stored, plain);
    case Compression::kZstd:
      return DecompressZstd(stored, plain);
  }
  return false;
}

}  // namespace badger
}  // namespace sluice
