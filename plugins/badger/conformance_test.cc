// The plugin under the host and the executor: the conformance kit.

#include "sluice/plugins/conformance/conformance.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/plugins/badger/factory.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice {
namespace badger {
namespace {

class ConformanceTest : public testing::Test {
 protected:
  ConformanceTest() : host_({}) {
    std::string root = testing::TempDir() + "/conformance-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    EXPECT_TRUE(host_.RegisterStatic(&kBadgerPlugin).ok());
    EXPECT_TRUE(host_.RegisterStatic(&kLocalPlugin).ok());
    std::filesystem::create_directory(root_ + "/scratch");
  }
  ~ConformanceTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  CheckSummary Check(const std::string& fixture) {
    const Fixture source(fixture);
    const std::string tail = absl::StrCat("?scratch=", root_, "/scratch");
    ConformanceOptions options;
    options.source = absl::StrCat("badger:", source.Options().folder, tail);
    options.target = absl::StrCat("badger:", root_, "/target-{}", tail);
    options.archives = absl::StrCat("local:", root_, "/archives");
    return RunConformance(
        host_, Clock::Real(), options, [&](const CheckResult& result) {
          if (result.outcome == CheckResult::Outcome::kFailed)
            absl::StrAppend(&failures_, result.name, ": ", result.detail, "\n");
        });
  }

  PluginHost host_;
  std::string root_;
  std::string failures_;
};

TEST_F(ConformanceTest, ADirectoryOfBadger4Passes) {
  const CheckSummary summary = Check("v4-zstd-levels");
  EXPECT_EQ(summary.failed, 0) << failures_;
  EXPECT_GE(summary.passed, 15);
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/scratch"));
}

TEST_F(ConformanceTest, ADirectoryOfBadger2Passes) {
  const CheckSummary summary = Check("v2-snappy-levels");
  EXPECT_EQ(summary.failed, 0) << failures_;
  EXPECT_GE(summary.passed, 15);
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/scratch"));
}

}  // namespace
}  // namespace badger
}  // namespace sluice
