#include "sluice/plugins/badger/format/decompress.h"

#include <gtest/gtest.h>
#include <snappy.h>
#include <zstd.h>

#include <string>

namespace sluice {
namespace badger {
namespace {

std::string Snappy(const std::string& plain) {
  std::string stored;
  snappy::Compress(plain.data(), plain.size(), &stored);
  return stored;
}

std::string Zstd(const std::string& plain, bool with_size) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
  std::string stored(ZSTD_compressBound(plain.size()), '\0');
  const size_t size = ZSTD_compress2(context, stored.data(), stored.size(),
                                     plain.data(), plain.size());
  EXPECT_FALSE(ZSTD_isError(size));
  ZSTD_freeCCtx(context);
  stored.resize(size);
  return stored;
}

std::string Text() {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919);
  return text;
}

TEST(DecompressTest, GivesBackWhatWasCompressed) {
  std::string plain;
  for (const std::string& text : {std::string(), std::string("x"), Text()}) {
    ASSERT_TRUE(Decompress(Compression::kNone, text, plain));
    EXPECT_EQ(plain, text);
    ASSERT_TRUE(Decompress(Compression::kSnappy, Snappy(text), plain));
    EXPECT_EQ(plain, text);
    ASSERT_TRUE(Decompress(Compression::kZstd, Zstd(text, true), plain));
    EXPECT_EQ(plain, text);
    ASSERT_TRUE(Decompress(Compression::kZstd, Zstd(text, false), plain));
    EXPECT_EQ(plain, text);
  }
}

TEST(DecompressTest, RefusesWhatIsCutOrFollowedByMore) {
  std::string plain;
  const std::string text = Text();
  const struct {
    Compression compression;
    std::string stored;
  } cases[] = {{Compression::kSnappy, Snappy(text)},
               {Compression::kZstd, Zstd(text, true)},
               {Compression::kZstd, Zstd(text, false)}};
  for (const auto& one : cases) {
    const size_t size = one.stored.size();
    for (const size_t cut : {size_t{0}, size_t{1}, size / 2, size - 1}) {
      EXPECT_FALSE(
          Decompress(one.compression, one.stored.substr(0, cut), plain));
    }
    EXPECT_FALSE(Decompress(one.compression, one.stored + "x", plain));
  }
}

// Badger takes none into a table that is longer than 1 MiB.
TEST(DecompressTest, TakesAValueThatShrinksToNextToNothing) {
  const std::string zeros(2 << 20, '\0');
  std::string plain;
  for (const bool with_size : {true, false}) {
    EXPECT_TRUE(Decompress(Compression::kZstd, Zstd(zeros, with_size), plain));
    EXPECT_EQ(plain, zeros);
  }
  EXPECT_TRUE(Decompress(Compression::kSnappy, Snappy(zeros), plain));
  EXPECT_EQ(plain, zeros);
}

TEST(DecompressTest, PaysNoMemoryForAFewBytesThatBecomeMany) {
  const std::string zeros(64 << 20, '\0');
  for (const bool with_size : {true, false}) {
    const std::string stored = Zstd(zeros, with_size);
    ASSERT_LT(stored.size(), 40000u);
    std::string plain;
    EXPECT_FALSE(Decompress(Compression::kZstd, stored, plain));
    EXPECT_LE(plain.capacity(), MaxPlainBytes(stored.size()));
  }
}

TEST(DecompressTest, PaysNoMemoryForAClaim) {
  std::string plain;
  // A frame of 4 bytes that claims 1 GiB.
  std::string claims("\x28\xb5\x2f\xfd\xa0\0\0\0\x40", 9);
  claims += std::string("\x21\0\0abcd", 7);
  EXPECT_EQ(ZSTD_getFrameContentSize(claims.data(), claims.size()),
            uint64_t{1} << 30);
  EXPECT_FALSE(Decompress(Compression::kZstd, claims, plain));
  EXPECT_LT(plain.capacity(), size_t{1} << 20);
  // Five bytes that claim 4 GiB.
  EXPECT_FALSE(Decompress(Compression::kSnappy, "\xff\xff\xff\xff\x0f", plain));
  EXPECT_LT(plain.capacity(), size_t{1} << 20);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
