#include "sluice/plugins/memory/factory.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/error.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"

namespace sluice {
namespace {

using Given = std::vector<std::pair<std::string, std::string>>;

struct Created {
  std::string word;  // of the error; empty: it was created
  std::string store_id;
  bool empty = false;
};

Created Create(const sluice_factory& factory, const Given& given) {
  std::vector<sluice_option> options;
  for (const auto& [key, value] : given) {
    options.push_back({sdk::ToBytes(key), sdk::ToBytes(value), 0, 0});
  }
  sluice_error error = sdk::EmptyError();
  const void* object = nullptr;
  const sluice_code code =
      factory.create(nullptr, options.data(), options.size(), &object, &error);
  Created created;
  created.word = error.word;
  EXPECT_EQ(code == SLUICE_OK, created.word.empty()) << error.message;
  if (code != SLUICE_OK) return created;
  const auto* source = static_cast<const sluice_source*>(object);
  sluice_source_info info{};
  info.struct_size = sizeof(info);
  if (source->describe(source->self, nullptr, &info, &error) == SLUICE_OK) {
    created.store_id = std::string(sdk::ToView(info.store_id));
    created.empty = info.empty != 0;
  }
  created.word = error.word;
  source->destroy(source->self);
  return created;
}

TEST(FactoryTest, MakesWhatTheOptionsSay) {
  ScratchFolder folder;
  folder.Write("full/file", "x");
  const Created plain = Create(kMemorySource, {{"path", ""}});
  EXPECT_EQ(plain.word, "");
  EXPECT_TRUE(plain.empty);
  const Created synthetic =
      Create(kMemorySource, {{"keys", "3"}, {"value_bytes", "10"}});
  EXPECT_EQ(synthetic.store_id, "synthetic-3-10-0");
  EXPECT_FALSE(synthetic.empty);
  const Created load = Create(
      kMemorySource, {{"load", folder.Path("full")}, {"store_id", "mine"}});
  EXPECT_EQ(load.store_id, "mine");
  EXPECT_FALSE(load.empty);
  EXPECT_TRUE(Create(kMemorySource, {{"save", folder.Path("new")}}).empty);
  EXPECT_FALSE(Create(kMemorySource, {{"save", folder.Path("full")}}).empty);
  EXPECT_EQ(Create(kMemorySource, {{"load", folder.Path("absent")}}).word,
            "source_unavailable");
}

TEST(FactoryTest, RefusesOptionsThatMakeNoSense) {
  const std::vector<Given> senseless = {
      {{"path", "/data"}},
      {{"load", "a"}, {"save", "b"}},
      {{"load", "a"}, {"keys", "1"}},
      {{"load", ""}},
      {{"save", std::string("a\0b", 3)}},
      {{"value_bytes", "10"}},
      {{"load", "a"}, {"seed", "1"}},
      {{"load", "a"}, {"store_id", "a b"}},
      {{"load", "a"}, {"store_id", ""}},
      {{"keys", "1152921504606846976"}, {"value_bytes", "100"}},
  };
  for (const Given& given : senseless) {
    EXPECT_EQ(Create(kMemorySource, given).word, "source_config_invalid")
        << given.front().first;
  }
  EXPECT_NE(Create(kMemorySource, {{"keys", "many"}}).word, "");
}

TEST(FactoryTest, TheSharedObjectExportsTheSameTable) {
  void* const library =
      dlopen("plugins/memory/sluice-source-memory.so", RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto* entry = static_cast<const sluice_plugin_entry*>(
      dlsym(library, SLUICE_PLUGIN_SYMBOL));
  ASSERT_NE(entry, nullptr) << dlerror();
  EXPECT_EQ(entry->abi_major, SLUICE_ABI_MAJOR);
  ASSERT_EQ(entry->factory_count, 1u);
  EXPECT_EQ(sdk::ToView(entry->factories[0]->kind), "memory");
  EXPECT_EQ(Create(*entry->factories[0], {{"keys", "1"}}).store_id,
            "synthetic-1-0-0");
}

}  // namespace
}  // namespace sluice
