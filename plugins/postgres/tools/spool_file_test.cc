#include "sluice/plugins/postgres/payload/spool_file.h"

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/tools/process.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::postgres {
namespace {

TEST(SpoolFileTest, HasNoNameThatAKilledProcessCouldLeave) {
  const std::string folder = testing::TempDir() + "/spool";
  std::filesystem::create_directories(folder);
  auto spool = SpoolFile::Create(FileSystem::Posix(), folder);
  ASSERT_TRUE(spool.ok()) << spool.status();
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  ASSERT_TRUE((*spool)->Append("all of it").ok());
  ASSERT_TRUE((*spool)->Close().ok());
  // A program opens it as often as it likes, and in its own children.
  const Interrupt interrupt{sdk::Run()};
  ProcessOptions options{{"/bin/sh", "-c",
                          absl::StrCat("cat ", (*spool)->path(), "; (cat ",
                                       (*spool)->path(), ")")},
                         {},
                         ""};
  options.files = {(*spool)->descriptor()};
  EXPECT_EQ(*RunProcessForText(options, interrupt), "all of itall of it");
}

}  // namespace
}  // namespace sluice::postgres
