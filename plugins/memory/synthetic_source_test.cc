#include "sluice/plugins/memory/synthetic_source.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sluice/base/error.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice {
namespace {

SyntheticOptions Options(uint64_t keys, uint64_t value_bytes, uint64_t seed) {
  SyntheticOptions options;
  options.keys = keys;
  options.value_bytes = value_bytes;
  options.seed = seed;
  return options;
}

// As read back from the payload of `options`, written in chunks of that size.
std::shared_ptr<MemoryStore> Read(const SyntheticOptions& options,
                                  size_t chunk_bytes) {
  sdk::FakeSink sink(chunk_bytes);
  EXPECT_TRUE(
      (*MakeSyntheticSource(options))->Backup(sdk::Run(), {}, sink).ok());
  EXPECT_EQ(sink.counts,
            (sdk::Counts{{"keys", options.keys},
                         {"bytes", options.keys * options.value_bytes}}));
  auto store = *MemoryStore::Create("");
  sdk::FakePayload payload(sink.payload, 100000);
  sdk::FakeRestoreRequest request({&payload});
  EXPECT_TRUE(MakeMemorySource(store)->Restore(sdk::Run(), request).ok());
  return store;
}

TEST(SyntheticSourceTest, GivesTheSameBytesHoweverTheyAreCut) {
  const SyntheticOptions options = Options(5, 300000, 7);
  auto small = Read(options, 777);
  auto large = Read(options, 1 << 20);
  int keys = 0;
  small->Scan("", "", [&](const MemoryEntry& entry) {
    ++keys;
    EXPECT_EQ(entry.value.size(), 300000u);
    EXPECT_TRUE(large->Get(entry.key) == std::string(entry.value));
    return true;
  });
  EXPECT_EQ(keys, 5);
}

TEST(SyntheticSourceTest, OneSeedOneKeyOneOffsetOnePage) {
  const std::string a =
      *Read(Options(2, 9000, 7), 4096)->Get("key-0000000000000000");
  const std::string b =
      *Read(Options(2, 9000, 7), 4096)->Get("key-0000000000000001");
  const std::string c =
      *Read(Options(2, 9000, 8), 4096)->Get("key-0000000000000000");
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(a.substr(0, 4096), a.substr(4096, 4096));
  // Laid down for ever: a page begins with the key and offset xor seed.
  EXPECT_EQ(b.substr(4096, 16),
            std::string("\1\0\0\0\0\0\0\0\7\x10\0\0\0\0\0\0", 16));
}

TEST(SyntheticSourceTest, HasAStoreIdAndTakesNoRestore) {
  auto source = *MakeSyntheticSource(Options(3, 4, 5));
  auto info = source->Describe(sdk::Run());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->store_id, "synthetic-3-4-5");
  EXPECT_FALSE(info->empty);
  sdk::FakeRestoreRequest request({});
  EXPECT_EQ(ErrorCodeOf(source->Restore(sdk::Run(), request)),
            kRestorePreconditionFailed);
}

TEST(SyntheticSourceTest, RefusesMoreThanItCanCount) {
  EXPECT_TRUE(MakeSyntheticSource(Options(1000, 1 << 20, 0)).ok());
  EXPECT_EQ(ErrorCodeOf(
                MakeSyntheticSource(Options(uint64_t{1} << 60, 1, 0)).status()),
            kSourceConfigInvalid);
  EXPECT_EQ(
      ErrorCodeOf(
          MakeSyntheticSource(Options(1000000, uint64_t{1} << 60, 0)).status()),
      kSourceConfigInvalid);
}

}  // namespace
}  // namespace sluice
