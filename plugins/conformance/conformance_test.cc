#include "sluice/plugins/conformance/conformance.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/factory.h"

namespace sluice {
namespace {

class ConformanceTest : public testing::Test {
 protected:
  ConformanceTest() : host_({}) {
    dir_ = absl::StrCat(testing::TempDir(), "/conformance-XXXXXX");
    EXPECT_NE(mkdtemp(dir_.data()), nullptr);
    EXPECT_TRUE(host_.RegisterStatic(&kMemoryPlugin).ok());
    EXPECT_TRUE(host_.RegisterStatic(&kLocalPlugin).ok());
  }

  // A folder of some files, one of them a link where `with_link`.
  std::string Folder(const std::string& name, bool with_link) {
    const std::string folder = absl::StrCat(dir_, "/", name);
    EXPECT_EQ(mkdir(folder.c_str(), 0700), 0);
    EXPECT_EQ(mkdir((folder + "/deep").c_str(), 0700), 0);
    for (int i = 0; i < 20; ++i) {
      std::ofstream(absl::StrCat(folder, i % 2 ? "/deep/" : "/", i))
          << std::string(i * 1000, static_cast<char>('a' + i));
    }
    if (with_link) {
      EXPECT_EQ(symlink("0", (folder + "/link").c_str()), 0);
    }
    return folder;
  }

  CheckSummary Run(const ConformanceOptions& options) {
    return RunConformance(
        host_, Clock::Real(), options, [&](const CheckResult& result) {
          if (result.outcome == CheckResult::Outcome::kFailed)
            absl::StrAppend(&failures_, result.name, ": ", result.detail, "\n");
        });
  }

  std::string dir_;
  PluginHost host_;
  std::string failures_;
};

TEST_F(ConformanceTest, TheMemoryStoreOverTheLocalDestinationPasses) {
  ConformanceOptions options;
  options.source = absl::StrCat("memory:?load=", Folder("a", false));
  options.target = absl::StrCat("memory:?save=", dir_, "/target-{}");
  options.restored = absl::StrCat("memory:?load=", dir_, "/target-{}");
  options.archives = absl::StrCat("local:", dir_, "/archives");
  options.warning_source = absl::StrCat("memory:?load=", Folder("b", true));
  options.place = absl::StrCat("local:", dir_, "/place");
  const CheckSummary summary = Run(options);
  EXPECT_EQ(summary.failed, 0) << failures_;
  EXPECT_GE(summary.passed, 31);
}

TEST_F(ConformanceTest, NothingToCheckIsAFailure) {
  EXPECT_EQ(Run({}).failed, 1);
}

TEST_F(ConformanceTest, APluginThatDoesNotLoadIsAFailure) {
  ConformanceOptions options;
  options.plugin_file = dir_ + "/none.so";
  EXPECT_EQ(Run(options).failed, 1);
  EXPECT_NE(failures_.find("No such file"), std::string::npos) << failures_;
}

TEST_F(ConformanceTest, ATargetWithoutANumberIsRefused) {
  ConformanceOptions options;
  options.source = "memory:?keys=10";
  options.target = absl::StrCat("memory:?save=", dir_, "/t");
  options.archives = absl::StrCat("local:", dir_, "/archives");
  EXPECT_EQ(Run(options).failed, 1);
  EXPECT_NE(failures_.find("{}"), std::string::npos) << failures_;
}

// A target that forgets what was restored into it: the kit can fail.
TEST_F(ConformanceTest, ATargetThatForgetsIsFoundOut) {
  ConformanceOptions options;
  options.source = "memory:?keys=10&value_bytes=100";
  options.target = "memory:?keys=0&seed={}";  // cannot be restored into
  options.archives = absl::StrCat("local:", dir_, "/archives");
  EXPECT_GT(Run(options).failed, 0);
  EXPECT_NE(failures_.find("restores, and the copy"), std::string::npos)
      << failures_;
}

}  // namespace
}  // namespace sluice
