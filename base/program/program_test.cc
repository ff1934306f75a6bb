#include "sluice/base/program/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Program Shell(const std::string& script) {
  Program program;
  program.argv = {"/bin/sh", "-c", script};
  program.time_limit = absl::Seconds(60);
  return program;
}

ProgramEnd MustRun(const Program& program) {
  const auto end = RunProgram(program);
  EXPECT_TRUE(end.ok()) << end.status();
  return end.value_or(ProgramEnd());
}

TEST(ProgramTest, GetsItsInputAndGivesItsOutput) {
  Program program = Shell("cat; echo err >&2");
  program.input = "hello ";
  const ProgramEnd end = MustRun(program);
  EXPECT_TRUE(end.succeeded());
  EXPECT_EQ(end.output, "hello err\n");
}

TEST(ProgramTest, HasNothingOfOursButWhatItIsGiven) {
  setenv("SLUICE_TEST_SECRET", "canary", 1);
  Program program = Shell("env; ls /proc/self/fd | wc -l; pwd");
  program.environment = {{"SLUICE_PLAN", "a b"}};
  const ProgramEnd end = MustRun(program);
  EXPECT_THAT(end.output, HasSubstr("SLUICE_PLAN=a b\n"));
  EXPECT_THAT(end.output, Not(HasSubstr("canary")));
  // 0 to 2, and that of the folder which ls reads.
  EXPECT_THAT(end.output, HasSubstr("\n4\n/\n"));
}

TEST(ProgramTest, AWordIsAWordWhateverIsInIt) {
  Program program;
  program.argv = {"/bin/echo", "$HOME; rm -rf /", "'"};
  EXPECT_EQ(MustRun(program).output, "$HOME; rm -rf / '\n");
}

TEST(ProgramTest, AnEndIsToldOnOneLine) {
  EXPECT_EQ(MustRun(Shell("echo no such; echo volume; exit 3")).Describe(),
            "exit status 3: no such volume");
  EXPECT_THAT(MustRun(Shell("kill -TERM $$")).Describe(),
              HasSubstr("signal 15"));
}

TEST(ProgramTest, OneThatHangsIsKilledWithWhatItStarted) {
  const std::string file =
      absl::StrCat(::testing::TempDir(), "/left-", getpid());
  Program program =
      Shell(absl::StrCat("sleep 600 & echo $! > ", file, "; wait"));
  program.time_limit = absl::Seconds(2);
  const ProgramEnd end = MustRun(program);
  EXPECT_TRUE(end.timed_out);
  EXPECT_FALSE(end.succeeded());
  EXPECT_THAT(end.Describe(), HasSubstr("did not end in time"));
  std::ifstream in(file);
  pid_t child = 0;
  ASSERT_TRUE(in >> child);
  // It was killed; how soon the kernel is done with it is the kernel's affair.
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (handle < 0) {
    EXPECT_EQ(errno, ESRCH);
    return;
  }
  pollfd ended = {handle, POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, /*timeout=*/30'000), 1) << "it runs on";
  close(handle);
}

TEST(ProgramTest, WhoInheritsItsOutputKeepsNobodyWaiting) {
  const absl::Duration began = Clock::Real()->SinceBoot();
  const ProgramEnd end = MustRun(Shell("sleep 50 & echo started $!"));
  EXPECT_TRUE(end.succeeded());
  EXPECT_THAT(end.output, HasSubstr("started"));
  EXPECT_LT(Clock::Real()->SinceBoot() - began, absl::Seconds(40));
  // What it started lives on.
  const int child = std::atoi(end.output.substr(8).c_str());
  EXPECT_EQ(kill(child, SIGKILL), 0);
}

TEST(ProgramTest, ACancelEndsIt) {
  int asked = 0;
  const auto end =
      RunProgram(Shell("sleep 600"), [&asked] { return ++asked > 3; });
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->cancelled);
}

TEST(ProgramTest, OutputIsBoundedAndReadToItsEnd) {
  Program program = Shell("head -c 5000000 /dev/zero | tr '\\0' x");
  program.max_output = 100;
  const ProgramEnd end = MustRun(program);
  EXPECT_TRUE(end.succeeded());
  EXPECT_EQ(end.output, std::string(100, 'x'));
}

TEST(ProgramTest, OneThatDoesNotReadItsInputIsNoEndOfOurs) {
  Program program = Shell("exit 0");
  program.input = std::string(10'000'000, 'x');
  EXPECT_TRUE(MustRun(program).succeeded());
}

TEST(ProgramTest, OneThatIsNotThereIsAnErrorAndNoEnd) {
  Program program;
  program.argv = {"/no/such/program"};
  EXPECT_EQ(RunProgram(program).status().code(), absl::StatusCode::kNotFound);
  program.argv = {"/etc/passwd"};
  EXPECT_EQ(RunProgram(program).status().code(),
            absl::StatusCode::kPermissionDenied);
  program.argv = {"sh"};
  EXPECT_EQ(ErrorCodeOf(RunProgram(program).status()), kInvalidArgument);
}

TEST(SplitWordsTest, AreWhatAShellMakesOfThem) {
  EXPECT_THAT(*SplitWords(R"(/bin/x  a 'b c' "d \" e" f\ g '')"),
              ElementsAre("/bin/x", "a", "b c", "d \" e", "f g", ""));
  EXPECT_THAT(*SplitWords("$HOME *"), ElementsAre("$HOME", "*"));
  EXPECT_THAT(*SplitWords("  "), IsEmpty());
  EXPECT_FALSE(SplitWords("/bin/x 'a").ok());
}

}  // namespace
}  // namespace sluice
