#include "sluice/plugins/host/secret.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

std::string WriteFile(const std::string& name, const std::string& content) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(SecretTest, ComesFromTheEnvironment) {
  setenv("SLUICE_TEST_SECRET", "hunter2", 1);
  EXPECT_EQ(*ResolveSecret("env:SLUICE_TEST_SECRET"), "hunter2");
  unsetenv("SLUICE_TEST_SECRET");
  EXPECT_EQ(ResolveSecret("env:SLUICE_TEST_SECRET").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(SecretTest, ComesFromAFileWithoutItsLastNewline) {
  EXPECT_EQ(*ResolveSecret("file:" + WriteFile("a", "hunter2\n")), "hunter2");
  EXPECT_EQ(*ResolveSecret("file:" + WriteFile("b", "a\nb\n\n")), "a\nb\n");
  EXPECT_EQ(ResolveSecret("file:/nowhere/at/all").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(SecretTest, ComesFromACommand) {
  EXPECT_EQ(*ResolveSecret("cmd:echo hunter2"), "hunter2");
}

TEST(SecretTest, ACommandThatFailsGivesNothingEvenIfItPrinted) {
  const absl::Status status =
      ResolveSecret("cmd:echo hunter2; exit 3").status();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("status 3"), std::string::npos) << status;
  EXPECT_EQ(status.ToString().find("hunter2"), std::string::npos);
}

TEST(SecretTest, ASecretItselfIsRefusedAndNotRepeated) {
  for (const char* text : {"hunter2", "", "env:", "file:", "cmd:"}) {
    const absl::Status status = ResolveSecret(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(status.ToString().find("hunter2"), std::string::npos);
    EXPECT_NE(HintOf(status), "");
  }
}

TEST(SecretTest, AnEmptyOrEndlessSecretIsRefused) {
  EXPECT_FALSE(ResolveSecret("file:" + WriteFile("c", "\n")).ok());
  EXPECT_FALSE(ResolveSecret("file:/dev/zero").ok());
}

}  // namespace
}  // namespace sluice
