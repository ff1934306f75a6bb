#include "sluice/plugins/postgres/tools/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

ProcessOptions Shell(const std::string& script) {
  return {{"/bin/sh", "-c", script}, {}, ""};
}

TEST(ProcessTest, HandsOverWhatTheProgramWrites) {
  const Interrupt interrupt{sdk::Run()};
  EXPECT_EQ(*RunProcessForText(Shell("echo a; cat; echo b"), interrupt),
            "a\nb\n");
}

TEST(ProcessTest, ReadsMoreThanItHolds) {
  const Interrupt interrupt{sdk::Run()};
  size_t size = 0;
  EXPECT_TRUE(RunProcess(Shell("head -c 10000000 /dev/zero"), interrupt,
                         [&](absl::string_view bytes) {
                           size += bytes.size();
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_EQ(size, 10000000u);
}

TEST(ProcessTest, TellsTheStatusAndTheLastWordsOfOneThatFailed) {
  const Interrupt interrupt{sdk::Run()};
  const absl::Status status =
      RunProcessForText(
          Shell("yes no | head -n 9000 >&2; echo why >&2; exit 3"), interrupt)
          .status();
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_TRUE(absl::StrContains(status.message(), "status 3")) << status;
  EXPECT_TRUE(absl::EndsWith(status.message(), "why")) << status;
  EXPECT_LT(status.message().size(), 5000u);
}

TEST(ProcessTest, TellsWhatOneThatSucceededHadToSay) {
  const Interrupt interrupt{sdk::Run()};
  ProcessOptions options = Shell("echo \"beware of $PASS\" >&2");
  options.environment = {{"PASS", "canary-17"}};
  options.secret = "canary-17";
  std::string said;
  EXPECT_TRUE(RunProcess(
                  options, interrupt,
                  [](absl::string_view) { return absl::OkStatus(); }, &said)
                  .ok());
  EXPECT_EQ(said, "beware of ********");
}

TEST(ProcessTest, GivesTheFilesThatAreNamedAndNoOther) {
  const Interrupt interrupt{sdk::Run()};
  const int named = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ProcessOptions options =
      Shell(absl::StrCat("test -e /dev/fd/", named, " && ! test -e /dev/fd/",
                         other, " && echo so"));
  options.files = {named};
  EXPECT_EQ(*RunProcessForText(options, interrupt), "so\n");
  // Ours stays as it was.
  EXPECT_EQ(fcntl(named, F_GETFD), FD_CLOEXEC);
  close(named);
  close(other);
}

TEST(ProcessTest, HandsOnNothingOfOurEnvironmentThatIsForOthers) {
  const Interrupt interrupt{sdk::Run()};
  setenv("SLUICE_TEST_SECRET", "canary-18", 1);
  setenv("PGPASSWORD", "canary-19", 1);
  setenv("LC_TEST", "kept", 1);
  ProcessOptions options;
  options.arguments = {"/usr/bin/env"};
  std::string text = *RunProcessForText(options, interrupt);
  EXPECT_FALSE(absl::StrContains(text, "canary-18")) << text;
  EXPECT_TRUE(absl::StrContains(text, "PGPASSWORD=canary-19")) << text;
  EXPECT_TRUE(absl::StrContains(text, "LC_TEST=kept")) << text;
  EXPECT_TRUE(absl::StrContains(text, "PATH=")) << text;
  options.inherit_libpq = false;
  text = *RunProcessForText(options, interrupt);
  EXPECT_FALSE(absl::StrContains(text, "canary")) << text;
  unsetenv("SLUICE_TEST_SECRET");
  unsetenv("PGPASSWORD");
  unsetenv("LC_TEST");
}

TEST(ProcessTest, NeverShowsASecret) {
  const Interrupt interrupt{sdk::Run()};
  ProcessOptions options = Shell("echo \"$PASS\" >&2; exit 1");
  options.environment = {{"PASS", "canary-17"}};
  options.secret = "canary-17";
  const absl::Status status = RunProcessForText(options, interrupt).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "****")) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "canary")) << status;
}

TEST(ProcessTest, SaysThatAProgramIsMissing) {
  const Interrupt interrupt{sdk::Run()};
  const absl::Status status =
      RunProcessForText({{"/no/such/pg_dump"}, {}, ""}, interrupt).status();
  EXPECT_EQ(ErrorCodeOf(status), kSourceUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "/no/such/pg_dump"));
}

TEST(ProcessTest, EndsAProgramAndItsChildrenWhenInterrupted) {
  const Interrupt interrupt(sdk::Run(), absl::Now() + absl::Milliseconds(200));
  const absl::Time start = absl::Now();
  std::string child;
  const absl::Status status =
      RunProcess(Shell("trap '' TERM; sleep 100 & echo $!; wait"), interrupt,
                 [&](absl::string_view bytes) {
                   child.append(bytes.data(), bytes.size());
                   return absl::OkStatus();
                 });
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_LT(absl::Now() - start, absl::Seconds(1.2));
  int pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(child, &pid)) << child;
  // Gone, or a zombie that waits for init, as soon as the kernel comes to it.
  const auto state = RunProcessForText(
      Shell("while s=$(ps -o state= -p " + std::to_string(pid) +
            ") && [ \"$s\" != Z ]; do :; done; echo Z"),
      Interrupt{sdk::Run()});
  EXPECT_TRUE(absl::StartsWith(*state, "Z")) << *state;
}

TEST(ProcessTest, EndsAProgramWhoseOutputNobodyWants) {
  const Interrupt interrupt{sdk::Run()};
  const absl::Status status = RunProcess(
      Shell("exec yes"), interrupt,
      [](absl::string_view) { return absl::CancelledError("enough"); });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace sluice::postgres
