#include "sluice/cli/terminal/console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

// A pipe whose written bytes can be read back.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    CloseReader();
    close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  void CloseReader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  std::string Read() const {
    std::array<char, 4096> buffer;
    const ssize_t got = read(ends_[0], buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<size_t>(got)) : "";
  }

 private:
  std::array<int, 2> ends_;
};

TEST(ConsoleTest, TheResultIsKeptUntilTheFlushAndStderrIsNot) {
  Pipe out;
  Pipe err;
  Console console({.result_fd = out.writer(), .note_fd = err.writer()},
                  Clock::Real());
  console.Result("result\n");
  console.Note("note");
  EXPECT_EQ(out.Read(), "");
  EXPECT_EQ(err.Read(), "note\n");
  EXPECT_TRUE(console.Flush().ok());
  EXPECT_EQ(out.Read(), "result\n");
}

// Whatever came from a plugin or an archive: no way out leads past this.
TEST(ConsoleTest, NothingSteersATerminalOnAnyWayOut) {
  const std::string evil = "\x1b]0;x\x07 \xE2\x80\xAE \xC2\x9B";
  const std::string shown = "\\x1b]0;x\\x07 \\xe2\\x80\\xae \\xc2\\x9b";
  Pipe out;
  Pipe err;
  Console console({.result_fd = out.writer(),
                   .note_fd = err.writer(),
                   .result_terminal = true,
                   .terminal = true},
                  Clock::Real());
  console.Result(evil + "\n");
  console.ResultBytes(evil + "\n");
  console.ResultJson({{"a", evil}});
  ASSERT_TRUE(console.Flush().ok());
  EXPECT_EQ(out.Read(),
            shown + "\n" + shown +
                "\n{\"a\":\"\\u001b]0;x\\u0007 \\u202e \\u009b\"}\n");
  console.Note(evil);
  EXPECT_EQ(err.Read(), shown + "\n");
  console.Error(
      WithHint(MakeError(absl::StatusCode::kInternal, evil, evil), evil));
  EXPECT_EQ(err.Read(),
            "sluice: " + shown + " (" + shown + ")\nhint: " + shown + "\n");
  console.Log(LogLevel::kInfo, evil, {{"field", evil}});
  EXPECT_EQ(err.Read().find_first_of("\x1b\x07\xE2\xC2"), std::string::npos);
  console.ShowBar(evil);
  EXPECT_EQ(err.Read(), "\r\x1b[K" + shown);
}

TEST(ConsoleTest, BytesOfAPluginsVerbStayAsTheyAreInAFile) {
  Pipe out;
  Console console({.result_fd = out.writer()}, Clock::Real());
  console.ResultBytes("\x1b\xFF");
  ASSERT_TRUE(console.Flush().ok());
  EXPECT_EQ(out.Read(), "\x1b\xFF");
}

TEST(ConsoleTest, AReaderThatIsGoneIsUnavailable) {
  signal(SIGPIPE, SIG_IGN);
  Pipe out;
  out.CloseReader();
  Console console({.result_fd = out.writer()}, Clock::Real());
  console.Result("result\n");
  EXPECT_EQ(console.Flush().code(), absl::StatusCode::kUnavailable);
  // The last one tells it, also where there was nothing left to say.
  EXPECT_EQ(console.Flush().code(), absl::StatusCode::kUnavailable);
}

TEST(ConsoleTest, AFullStdoutIsAnErrorOfItsOwn) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Console console({.result_fd = full}, Clock::Real());
  console.Result("result\n");
  EXPECT_EQ(ErrorCodeOf(console.Flush()), kOutputFailed);
  close(full);
}

TEST(ConsoleTest, AnErrorIsItsMessageItsWordAndItsHintWithoutControlBytes) {
  Pipe err;
  Console console({.note_fd = err.writer()}, Clock::Real());
  console.Error(WithHint(MakeError(absl::StatusCode::kNotFound,
                                   kDestinationNotFound, "open /a\x1b[2J\nb"),
                         "is the disk mounted?"));
  EXPECT_EQ(err.Read(),
            "sluice: open /a\\x1b[2J\\x0ab (destination_not_found)\n"
            "hint: is the disk mounted?\n");
}

TEST(ConsoleTest, LogsAreLogfmtOrJson) {
  EXPECT_EQ(Logfmt({{"msg", "job finished"},
                    {"n", 3},
                    {"ok", true},
                    {"empty", ""},
                    {"id", "01J"},
                    {"quote", "a\"b\nc"}}),
            "msg=\"job finished\" n=3 ok=true empty=\"\" id=01J "
            "quote=\"a\\\"b\\nc\"");
  Pipe err;
  Console console({.note_fd = err.writer(), .json_log = true}, Clock::Real());
  console.Log(LogLevel::kWarning, "slow", {{"job_id", "01J"}});
  const Json line = Json::parse(err.Read());
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["msg"], "slow");
  EXPECT_EQ(line["job_id"], "01J");
}

TEST(ConsoleTest, ABarIsDrawnOnATerminalOnlyAndStaysBelowTheLines) {
  Pipe err;
  Console plain({.note_fd = err.writer()}, Clock::Real());
  plain.ShowBar("bar");
  EXPECT_EQ(err.Read(), "");
  Console terminal({.note_fd = err.writer(), .terminal = true}, Clock::Real());
  terminal.ShowBar("bar");
  EXPECT_EQ(err.Read(), "\r\x1b[Kbar");
  terminal.Note("note");
  EXPECT_EQ(err.Read(), "\r\x1b[Knote\nbar");
  terminal.ShowBar("");
  EXPECT_EQ(err.Read(), "\r\x1b[K");
}

TEST(ConsoleTest, ABarIsNoWiderThanTheTerminal) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const int ours = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(ours, 0);
  struct winsize size {};
  size.ws_col = 20;
  size.ws_row = 5;
  ASSERT_EQ(ioctl(ours, TIOCSWINSZ, &size), 0);
  Console console({.note_fd = ours, .terminal = true}, Clock::Real());
  EXPECT_EQ(console.Width(), 20u);
  console.ShowBar(std::string(100, 'x'));
  std::array<char, 4096> buffer;
  const ssize_t got = read(terminal, buffer.data(), buffer.size());
  EXPECT_EQ(std::string(buffer.data(), static_cast<size_t>(got)),
            "\r\x1b[K" + std::string(19, 'x'));
  close(ours);
  close(terminal);
}

TEST(ConsoleTest, QuietLeavesOutWhatOnlySaysThatAllWentWell) {
  Pipe out;
  Pipe err;
  Console console(
      {.result_fd = out.writer(), .note_fd = err.writer(), .quiet = true},
      Clock::Real());
  console.Done("done\n");
  console.Log(LogLevel::kInfo, "job started", {});
  console.Result("a list\n");
  EXPECT_TRUE(console.Flush().ok());
  EXPECT_EQ(out.Read(), "a list\n");
  EXPECT_EQ(err.Read(), "");
  console.Note("warning: left out");
  EXPECT_EQ(err.Read(), "warning: left out\n");
}

TEST(ConsoleTest, AReaderThatIsGoneStaysGone) {
  signal(SIGPIPE, SIG_IGN);
  Pipe out;
  out.CloseReader();
  Console console({.result_fd = out.writer()}, Clock::Real());
  console.Result("result\n");
  EXPECT_FALSE(console.Flush().ok());
  EXPECT_FALSE(console.Flush().ok());
}

}  // namespace
}  // namespace sluice::cli
