#include "sluice/destinations/archive/protocol/hash_beside.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "sluice/destinations/archive/format/sha256.h"

namespace sluice {
namespace {

TEST(HashBesideTest, DigestsEachSegmentWhateverThePiecesAre) {
  const auto started = HashBeside::Start([] {});
  ASSERT_TRUE(started.ok());
  HashBeside& hash = **started;
  hash.Add("hel", false);
  hash.Add("lo", true);
  hash.EndSegment();
  hash.EndSegment();
  hash.Add("world", true);
  hash.EndSegment();
  EXPECT_EQ(hash.Digest(0), Sha256Of("hello"));
  EXPECT_EQ(hash.Digest(1), Sha256Of(""));
  EXPECT_EQ(hash.Digest(2), Sha256Of("world"));
}

TEST(HashBesideTest, ReleasesAViewOnlyWhenBothAreDoneWithIt) {
  std::atomic<int> released{0};
  const auto started = HashBeside::Start([&] { ++released; });
  ASSERT_TRUE(started.ok());
  HashBeside& hash = **started;
  hash.Add("a", true);
  hash.EndSegment();
  hash.Digest(0);  // hashed
  EXPECT_EQ(released, 0);
  hash.Done();
  EXPECT_EQ(released, 1);
}

TEST(HashBesideTest, BoundsTheViewsThatAreOut) {
  const std::string view(1 << 16, 'x');
  std::atomic<size_t> released{0};
  const auto started = HashBeside::Start([&] { ++released; });
  ASSERT_TRUE(started.ok());
  HashBeside& hash = **started;
  Sha256 expected;
  for (size_t i = 0; i < 500; ++i) {
    hash.AwaitFewerThan(3);
    EXPECT_GE(released + 3, i + 1);
    hash.Add(view, true);
    expected.Update(view);
    hash.Done();
  }
  hash.EndSegment();
  EXPECT_EQ(hash.Digest(0), expected.Finish());
  hash.AwaitFewerThan(1);
  EXPECT_EQ(released, 500);
}

TEST(HashBesideTest, IsLeftInTheMiddleWithoutReleasing) {
  std::atomic<int> released{0};
  const std::string view(1 << 20, 'x');
  {
    const auto started = HashBeside::Start([&] { ++released; });
    ASSERT_TRUE(started.ok());
    HashBeside& hash = **started;
    for (int i = 0; i < 20; ++i) hash.Add(view, true);
  }
  EXPECT_EQ(released, 0);
}

}  // namespace
}  // namespace sluice
