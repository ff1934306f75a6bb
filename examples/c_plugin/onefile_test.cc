// The plugin in plain C: loaded as a .so, and proven by the conformance kit,
// which runs the executor with it.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/stream/warning_list.h"
#include "sluice/executor/testing/text_payload.h"
#include "sluice/plugins/conformance/conformance.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice {
namespace {

class OnefileTest : public testing::Test {
 protected:
  OnefileTest()
      : plugin_dir_(absl::StrCat(std::getenv("TEST_SRCDIR"), "/",
                                 std::getenv("TEST_WORKSPACE"),
                                 "/examples/c_plugin")),
        host_([&] {
          PluginHostOptions options;
          options.plugin_dir = plugin_dir_;
          return options;
        }()),
        dir_(absl::StrCat(testing::TempDir(), "/onefile-XXXXXX")) {
    EXPECT_NE(mkdtemp(dir_.data()), nullptr);
    EXPECT_TRUE(host_.RegisterStatic(&kLocalPlugin).ok());
    std::ofstream(dir_ + "/store") << std::string(3 << 20, 'x') << "end";
  }

  const std::string plugin_dir_;
  PluginHost host_;
  std::string dir_;
};

TEST_F(OnefileTest, PassesTheConformanceKit) {
  ConformanceOptions options;
  options.plugin_file = plugin_dir_ + "/sluice-source-onefile.so";
  options.source = absl::StrCat("onefile:", dir_, "/store");
  options.target = absl::StrCat("onefile:", dir_, "/target-{}");
  options.archives = absl::StrCat("local:", dir_, "/archives");
  std::string failures;
  const CheckSummary summary = RunConformance(
      host_, Clock::Real(), options, [&](const CheckResult& result) {
        if (result.outcome == CheckResult::Outcome::kFailed)
          absl::StrAppend(&failures, result.name, ": ", result.detail, "\n");
      });
  EXPECT_EQ(summary.failed, 0) << failures;
  EXPECT_GE(summary.passed, 16);
}

TEST_F(OnefileTest, IsFoundByItsKind) {
  const auto source =
      host_.CreateSource(absl::StrCat("onefile:", dir_, "/store"));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_FALSE((*source)->Describe(Context::Background())->empty);
  EXPECT_EQ(host_.factories().front().kind, "onefile");
}

TEST_F(OnefileTest, ATargetThatAppearsMeanwhileIsNotReplaced) {
  const auto source = host_.CreateSource(absl::StrCat("onefile:", dir_, "/x"));
  ASSERT_TRUE(source.ok());
  EXPECT_TRUE((*source)->Describe(Context::Background())->empty);
  std::ofstream(dir_ + "/x") << "mine";

  RestorePayload payload;
  payload.reader = std::make_unique<TextPayload>("theirs");
  WarningList warnings;
  EXPECT_EQ(
      ErrorCodeOf((*source)->Restore(Context::Background(), "s",
                                     absl::MakeSpan(&payload, 1), warnings)),
      "restore_precondition_failed");
  std::string content;
  std::ifstream(dir_ + "/x") >> content;
  EXPECT_EQ(content, "mine");
  EXPECT_NE(access((dir_ + "/x.restoring").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace sluice
