// The C tables, called as a host calls them: linked in, and from the .so.

#include "sluice/destinations/local/factory.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

using sdk::EmptyError;
using sdk::ToBytes;

class FactoryTest : public ::testing::Test {
 protected:
  FactoryTest() {
    std::string pattern = ::testing::TempDir() + "/factory-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }

  // Runs one object through the tables of `entry`.
  void PutThrough(const sluice_plugin_entry& entry, const std::string& name) {
    ASSERT_EQ(entry.factory_count, 1u);
    const sluice_factory& factory = *entry.factories[0];
    EXPECT_EQ(factory.role, SLUICE_ROLE_PLACE);
    EXPECT_EQ(sdk::ToView(factory.kind), "local");
    const sluice_option option = {ToBytes("path"), ToBytes(folder_), 0, 0};
    sluice_error error = EmptyError();
    const void* object = nullptr;
    ASSERT_EQ(factory.create(nullptr, &option, 1, &object, &error), SLUICE_OK)
        << error.message;
    const auto* place = static_cast<const sluice_place*>(object);
    const sluice_writer* writer = nullptr;
    ASSERT_EQ(
        place->begin(place->self, nullptr, ToBytes(name), 0, &writer, &error),
        SLUICE_OK)
        << error.message;
    EXPECT_EQ(writer->write(writer->self, ToBytes("content"), &error),
              SLUICE_OK);
    EXPECT_EQ(writer->commit(writer->self, SLUICE_COMMIT_IF_ABSENT, &error),
              SLUICE_OK);
    writer->destroy(writer->self);
    EXPECT_EQ(
        place->begin(place->self, nullptr, ToBytes("../x"), 0, &writer, &error),
        SLUICE_INVALID_ARGUMENT);
    place->destroy(place->self);
    std::ostringstream content;
    content << std::ifstream(folder_ + "/" + name).rdbuf();
    EXPECT_EQ(content.str(), "content");
  }

  std::string folder_;
};

TEST_F(FactoryTest, ServesThroughTheLinkedTables) {
  PutThrough(kLocalPlugin, "a/linked");
}

TEST_F(FactoryTest, ServesThroughTheSharedObject) {
  void* library =
      dlopen("destinations/local/sluice-place-local.so", RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto* entry = static_cast<const sluice_plugin_entry*>(
      dlsym(library, SLUICE_PLUGIN_SYMBOL));
  ASSERT_NE(entry, nullptr);
  PutThrough(*entry, "a/loaded");
}

TEST_F(FactoryTest, RefusesWhatCannotBeAFolder) {
  for (const std::string& path : {std::string(), std::string("a\0b", 3)}) {
    const sluice_option option = {ToBytes("path"), ToBytes(path), 0, 0};
    sluice_error error = EmptyError();
    const void* object = nullptr;
    EXPECT_EQ(kLocalPlace.create(nullptr, &option, 1, &object, &error),
              SLUICE_INVALID_ARGUMENT);
    EXPECT_STREQ(error.word, "destination_config_invalid");
  }
}

}  // namespace
}  // namespace sluice
