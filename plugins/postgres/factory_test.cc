#include "sluice/plugins/postgres/factory.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

using Given = std::vector<std::pair<std::string, std::string>>;

// The word of the error; empty: it was created.
std::string Create(const Given& given) {
  std::vector<sluice_option> options;
  for (const auto& pair : given) {
    options.push_back({sdk::ToBytes(pair.first), sdk::ToBytes(pair.second), 0,
                       pair.first == "password" ? 1u : 0u});
  }
  sluice_error error = sdk::EmptyError();
  const void* object = nullptr;
  if (kPostgresSource.create(nullptr, options.data(), options.size(), &object,
                             &error) != SLUICE_OK) {
    EXPECT_EQ(std::string(error.message).find("canary"), std::string::npos);
    return error.word;
  }
  const auto* const source = static_cast<const sluice_source*>(object);
  source->destroy(source->self);
  return "";
}

TEST(FactoryTest, MakesASourceWithoutLookingAtTheServer) {
  EXPECT_EQ(Create({}), "");
  EXPECT_EQ(Create({{"authority", "alice@db.invalid"},
                    {"path", "/orders"},
                    {"jobs", "4"},
                    {"lock_timeout", "30s"},
                    {"payload_ids", "public.files.block"},
                    {"store_id", "orders"}}),
            "");
}

TEST(FactoryTest, RefusesOptionsThatMakeNoSense) {
  const std::vector<Given> senseless = {
      {{"jobs", "0"}},
      {{"jobs", "65"}},
      {{"store_id", "a b"}},
      {{"store_id", ""}},
      {{"payload_ids", "files"}},
      {{"path", "orders"}},
      {{"path", "/a"}, {"dbname", "b"}},
  };
  for (const Given& given : senseless) {
    EXPECT_EQ(Create(given), "source_config_invalid") << given.front().first;
  }
  EXPECT_NE(Create({{"jobs", "many"}, {"password", "canary"}}), "");
  EXPECT_NE(Create({{"no_owner", "perhaps"}}), "");
  EXPECT_NE(Create({{"role_map", "old"}}), "");
  EXPECT_EQ(Create({{"role_map", "old:new"}}), "");
}

TEST(FactoryTest, MarksThePasswordAsASecret) {
  int secrets = 0;
  for (uint64_t i = 0; i < kPostgresSource.option_count; ++i) {
    const sluice_option_spec& option = kPostgresSource.options[i];
    if ((option.flags & SLUICE_OPTION_SECRET) == 0) continue;
    ++secrets;
    EXPECT_EQ(sdk::ToView(option.name), "password");
  }
  EXPECT_EQ(secrets, 1);
}

}  // namespace
}  // namespace sluice
