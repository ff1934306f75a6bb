#include "sluice/plugins/host/option_schema.h"

#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/plugins/sdk/factory.h"

namespace sluice {
namespace {

constexpr sluice_option_spec kTable[] = {
    sdk::Option("path", SLUICE_OPTION_PATH, SLUICE_OPTION_REQUIRED, "",
                "folder of the store"),
    sdk::Option("keys", SLUICE_OPTION_INTEGER, 0, "10", "number of keys"),
    sdk::Option("fast", SLUICE_OPTION_BOOLEAN, 0, "no", "skip the checks"),
    sdk::Option("every", SLUICE_OPTION_DURATION, 0, "", "interval"),
    sdk::Option("password", SLUICE_OPTION_STRING, SLUICE_OPTION_SECRET, "",
                "of the user"),
    sdk::Option("later", 99, 0, "", "a type of a newer ABI"),
};

std::vector<OptionSpec> Specs() {
  sluice_factory factory{};
  factory.options = kTable;
  factory.option_count = std::size(kTable);
  factory.option_stride = sizeof(sluice_option_spec);
  return ReadOptionSpecs(factory);
}

absl::StatusOr<std::vector<ResolvedOption>> Resolved(absl::string_view uri) {
  return ResolveOptions(*ParseUri(uri), Specs(), kSourceConfigInvalid);
}

TEST(OptionSchemaTest, ReadsWhatAFactoryLists) {
  const std::vector<OptionSpec> specs = Specs();
  ASSERT_EQ(specs.size(), 6u);
  EXPECT_TRUE(specs[0].required);
  EXPECT_EQ(specs[1].fallback, "10");
  EXPECT_TRUE(specs[4].secret);
}

TEST(OptionSchemaTest, APluginsLongerSpecsAreReadByItsStride) {
  struct NewerSpec {
    sluice_option_spec spec;
    uint64_t added;
  };
  const NewerSpec newer[] = {{kTable[0], 7}, {kTable[1], 8}};
  sluice_factory factory{};
  factory.options = &newer[0].spec;
  factory.option_count = 2;
  factory.option_stride = sizeof(NewerSpec);
  const std::vector<OptionSpec> specs = ReadOptionSpecs(factory);
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[1].name, "keys");
}

TEST(OptionSchemaTest, PassesOnWhatFits) {
  const auto options = Resolved("x:/a?keys=3&fast=on&every=5s&later=?");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->size(), 5u);
  EXPECT_EQ((*options)[1].key, "keys");
  EXPECT_EQ((*options)[1].value, "3");
}

TEST(OptionSchemaTest, AnUnknownOptionNamesItsNearest) {
  const absl::Status status = Resolved("x:/a?kesy=3").status();
  EXPECT_EQ(ErrorCodeOf(status), "source_config_invalid");
  EXPECT_NE(status.message().find("kesy"), std::string::npos);
  EXPECT_EQ(HintOf(status), "did you mean \"keys\"?");
  EXPECT_NE(HintOf(Resolved("x:/a?zzzzzz=1").status()).find("password"),
            std::string::npos);
}

TEST(OptionSchemaTest, AMissingOrMalformedOneIsRefused) {
  for (const char* uri : {"x:", "x:/a?keys=many", "x:/a?fast=perhaps",
                          "x:/a?every=soon", "x:/a%00b", "x://host/a"}) {
    EXPECT_EQ(ErrorCodeOf(Resolved(uri).status()), "source_config_invalid")
        << uri;
  }
}

std::string IdentityOfTyped(absl::string_view uri) {
  const auto absolute =
      WithAbsolutePaths(*ParseUri(uri), Specs(), kSourceConfigInvalid);
  return absolute.ok() ? IdentityOf(*absolute, Specs())
                       : ErrorCodeOf(absolute.status());
}

TEST(OptionSchemaTest, OneStoreHasOneIdentityHoweverItIsTyped) {
  ASSERT_EQ(chdir("/tmp"), 0);
  for (const char* uri :
       {"x:st", "x:st/", "x:./st", "x:/tmp/st", "x:/tmp//st/", "x:?path=st",
        "x:st?password=env:A", "x:/tmp/x/../st"}) {
    EXPECT_EQ(IdentityOfTyped(uri), "x:/tmp/st") << uri;
  }
  EXPECT_EQ(IdentityOfTyped("x:st?keys=3&fast=on"),
            IdentityOfTyped("x:/tmp/st?fast=on&keys=3"));
  EXPECT_EQ(IdentityOfTyped("x:st?keys=st"), "x:/tmp/st?keys=st");
  ASSERT_EQ(chdir("/"), 0);
  EXPECT_EQ(IdentityOfTyped("x:st"), "x:/st");
  EXPECT_EQ(IdentityOfTyped("x:~nobody/st"), "source_config_invalid");
}

TEST(OptionSchemaTest, ASecretIsResolvedAndMarked) {
  setenv("SLUICE_TEST_SECRET", "hunter2", 1);
  const auto options = Resolved("x:/a?password=env:SLUICE_TEST_SECRET");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ((*options)[1].value, "hunter2");
  EXPECT_TRUE((*options)[1].secret);
  EXPECT_FALSE((*options)[0].secret);
}

TEST(OptionSchemaTest, ASecretTypedAsItIsIsRefusedAndNotShown) {
  const absl::Status status = Resolved("x:/a?password=hunter2").status();
  EXPECT_EQ(ErrorCodeOf(status), "source_config_invalid");
  EXPECT_EQ(status.ToString().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace sluice
