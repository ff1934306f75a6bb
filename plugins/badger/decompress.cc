#include "sluice/plugins/badger/decompress.h"

#include <snappy.h>
#include <zstd.h>

#include <algorithm>
#include <cstddef>

namespace sluice {
namespace badger {
namespace {

// A zstd block up to here is given the memory that it claims.
constexpr uint64_t kShortBlockBytes = 4 << 20;

bool DecompressSnappy(absl::string_view stored, std::string& plain) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(stored.data(), stored.size(), &size)) {
    return false;
  }
  // No element of snappy gives more than 64 bytes for 3.
  if (size > kMaxBlockBytes || size > 32 * stored.size()) return false;
  plain.resize(size);
  return snappy::RawUncompress(stored.data(), stored.size(), plain.data());
}

// Where the length is not known, or not believed before it is there.
bool StreamZstd(absl::string_view stored, std::string& plain) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  if (context == nullptr) return false;
  ZSTD_inBuffer in = {stored.data(), stored.size(), 0};
  size_t filled = 0;
  size_t left = 1;
  plain.clear();
  while (left != 0 && filled < kMaxBlockBytes) {
    plain.resize(
        std::min<uint64_t>(filled + ZSTD_DStreamOutSize(), kMaxBlockBytes));
    ZSTD_outBuffer out = {plain.data(), plain.size(), filled};
    left = ZSTD_decompressStream(context, &out, &in);
    const bool stuck = out.pos == filled && in.pos == in.size && left != 0;
    filled = out.pos;
    if (ZSTD_isError(left) != 0 || stuck) break;
  }
  ZSTD_freeDCtx(context);
  plain.resize(filled);
  return left == 0 && in.pos == in.size;
}

bool DecompressZstd(absl::string_view stored, std::string& plain) {
  const unsigned long long size =
      ZSTD_getFrameContentSize(stored.data(), stored.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return false;
  // The unknown size is a large number, too.
  if (size > kShortBlockBytes) return StreamZstd(stored, plain);
  plain.resize(size);
  const size_t written =
      ZSTD_decompress(plain.data(), plain.size(), stored.data(), stored.size());
  return ZSTD_isError(written) == 0 && written == size;
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
