#include "sluice/cli/verbs/verb_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"

namespace sluice::cli {
namespace {

class VerbOutputTest : public testing::Test {
 protected:
  VerbOutputTest() {
    EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0);
  }
  ~VerbOutputTest() override {
    close(ends_[0]);
    close(ends_[1]);
  }

  // What has reached stdout.
  std::string Printed() {
    std::string all(1 << 20, '\0');
    const ssize_t got = read(ends_[0], all.data(), all.size());
    all.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return all;
  }

  std::array<int, 2> ends_;
  Context context_ = Context::Background();
};

TEST_F(VerbOutputTest, GoesOutAsItComesSoThatAVerbMayPrintWithoutEnd) {
  Console console({.result_fd = ends_[1]}, Clock::Real());
  VerbOutput output(&console, /*as_json=*/false);
  const std::string block(VerbOutput::kFlushBytes / 2, 'x');
  EXPECT_FALSE(output.printed());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(output.Write(context_, block).ok());
    ASSERT_TRUE(output.Write(context_, block).ok());
    EXPECT_EQ(Printed().size(), VerbOutput::kFlushBytes) << i;
  }
  EXPECT_TRUE(output.Finish().ok());
  EXPECT_TRUE(output.printed());
}

TEST_F(VerbOutputTest, EndsWithItsRunsTimeLimit) {
  auto [context, cancel] = Context::WithCancel(context_);
  Console console({.result_fd = ends_[1]}, Clock::Real());
  VerbOutput output(&console, /*as_json=*/false);
  EXPECT_TRUE(output.Write(context, "a").ok());
  cancel(MakeError(absl::StatusCode::kDeadlineExceeded, kDeadlineExceeded,
                   "late"));
  EXPECT_EQ(ErrorCodeOf(output.Write(context, "b")), kDeadlineExceeded);
  EXPECT_EQ(ErrorCodeOf(output.Finish()), kDeadlineExceeded);
}

TEST_F(VerbOutputTest, JsonComesALineAtATimeWhateverThePieces) {
  Console console({.result_fd = ends_[1], .json = true}, Clock::Real());
  VerbOutput output(&console, /*as_json=*/true);
  for (const char* piece : {"{\"a\"", ":1}\n\n{\"b\":", "2}"})
    ASSERT_TRUE(output.Write(context_, piece).ok());
  EXPECT_TRUE(output.Finish().ok());
  EXPECT_TRUE(console.Flush().ok());
  EXPECT_EQ(Printed(), "{\"a\":1}\n{\"b\":2}\n");
}

TEST_F(VerbOutputTest, WhatIsNoJsonOrALineWithoutEndBreaksOff) {
  for (const auto& text : {std::string("hello\n"),
                           std::string(VerbOutput::kMaxJsonLine + 1, '1')}) {
    Console console({.result_fd = ends_[1], .json = true}, Clock::Real());
    VerbOutput output(&console, /*as_json=*/true);
    EXPECT_EQ(ErrorCodeOf(output.Write(context_, text)), kPluginUnusable);
    EXPECT_EQ(ErrorCodeOf(output.Write(context_, "{}\n")), kPluginUnusable);
    EXPECT_EQ(ErrorCodeOf(output.Finish()), kPluginUnusable);
    EXPECT_TRUE(console.Flush().ok());
    EXPECT_EQ(Printed(), "");
  }
}

}  // namespace
}  // namespace sluice::cli
