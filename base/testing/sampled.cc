// What a test with `sampled = True` is linked with. Where SLUICE_CASE_STRIDE is
// said, as in a sanitizer's build (.bazelrc), it runs one case in so many, and
// each day others: SLUICE_CASE_SAMPLE repeats those of one day.

#include <stdlib.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

#include "sluice/base/testing/environment.h"

namespace sluice {
namespace {

// gtest's own shards, each cut again. Before main, where gtest reads them.
bool ChooseCases() {
  const uint64_t stride = NumberFromEnvironment("SLUICE_CASE_STRIDE", 1);
  if (stride < 2) return false;
  constexpr std::time_t kDay = 24 * 60 * 60;
  const uint64_t sample =
      NumberFromEnvironment("SLUICE_CASE_SAMPLE", std::time(nullptr) / kDay);
  const uint64_t shards = NumberFromEnvironment("GTEST_TOTAL_SHARDS", 1);
  const uint64_t shard = NumberFromEnvironment("GTEST_SHARD_INDEX", 0);
  std::printf("SLUICE_CASE_SAMPLE=%ju: one case in %ju\n", uintmax_t{sample},
              uintmax_t{stride});
  setenv("GTEST_TOTAL_SHARDS", std::to_string(shards * stride).c_str(), 1);
  setenv("GTEST_SHARD_INDEX",
         std::to_string(shard + shards * (sample % stride)).c_str(), 1);
  return true;
}

[[maybe_unused]] const bool kChosen = ChooseCases();

}  // namespace
}  // namespace sluice
