#include "sluice/executor/stream/index_spool.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

std::string ReadAll(const IndexSpool& spool) {
  std::string all;
  EXPECT_TRUE(spool
                  .ForEachChunk([&](absl::string_view bytes) {
                    all.append(bytes.data(), bytes.size());
                    return absl::OkStatus();
                  })
                  .ok());
  return all;
}

TEST(IndexSpoolTest, GivesBackWhatWasAppendedAsOftenAsItIsAsked) {
  for (const size_t size : {0u, 1u, 65535u, 65536u, 65537u, 300000u}) {
    IndexSpool spool(testing::TempDir());
    std::string expected;
    for (size_t i = 0; expected.size() < size; ++i) {
      const std::string piece(1 + i % 7001, static_cast<char>('a' + i % 26));
      const std::string cut = piece.substr(0, size - expected.size());
      expected += cut;
      ASSERT_TRUE(spool.Append(cut).ok());
    }
    EXPECT_EQ(spool.size(), size);
    EXPECT_EQ(ReadAll(spool), expected);
    EXPECT_EQ(ReadAll(spool), expected);
  }
}

TEST(IndexSpoolTest, AFolderThatIsNotThereIsToldOnlyWhenItIsNeeded) {
  IndexSpool spool(testing::TempDir() + "/no-such-folder");
  ASSERT_TRUE(spool.Append("short").ok());
  EXPECT_EQ(ErrorCodeOf(spool.Append(std::string(100000, 'x'))),
            kScratchUnavailable);
}

}  // namespace
}  // namespace sluice
