#include "sluice/base/child_process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace sluice {
namespace {

// Long enough for any machine: only a test that fails waits so long.
constexpr absl::Duration kPatience = absl::Minutes(2);

void Nothing(char /*kind*/, absl::string_view /*bytes*/) {}

ChildEnd EndOf(ChildProcess::Body body, absl::Duration limit = kPatience,
               ChildProcess::Receiver receiver = Nothing) {
  const absl::StatusOr<ChildEnd> end =
      RunInChild({.time_limit = limit}, body, receiver);
  EXPECT_TRUE(end.ok()) << end.status();
  return end.ok() ? *end : ChildEnd();
}

void* SleepForever(void* /*unused*/) {
  while (true) pause();
}

TEST(ChildProcessTest, TheBodysResultIsTheLastWord) {
  const ChildEnd end = EndOf([](ChildLink&) { return 3; });
  EXPECT_EQ(end.last_word, 3);
  EXPECT_TRUE(end.reaped);
  EXPECT_EQ(DescribeEnd(end), "exit status 3");
}

TEST(ChildProcessTest, WhateverEndsTheProcessBeforeItIsNoLastWord) {
  struct {
    void (*end)();
    const char* seen;
  } const ways[] = {
      {[] { exit(0); }, "exit status 0"},
      {[] { _exit(0); }, "exit status 0"},
      {[] { quick_exit(0); }, "exit status 0"},
      {[] { abort(); }, "signal 6"},
      {[] { raise(SIGSEGV); }, "signal 11"},
      {[] { kill(getpid(), SIGKILL); }, "signal 9"},
      {[] { pthread_exit(nullptr); }, "main thread was ended"},
  };
  for (const auto& way : ways) {
    const ChildEnd end = EndOf([&](ChildLink&) {
      way.end();
      return 0;
    });
    EXPECT_FALSE(end.last_word.has_value()) << way.seen;
    EXPECT_TRUE(end.reaped) << way.seen;
    EXPECT_TRUE(absl::StrContains(DescribeEnd(end), way.seen))
        << DescribeEnd(end);
  }
}

TEST(ChildProcessTest, TheMainThreadsEndIsSeenThoughOtherThreadsGoOn) {
  const ChildEnd end = EndOf([](ChildLink&) -> int {
    pthread_t thread;
    EXPECT_EQ(pthread_create(&thread, nullptr, SleepForever, nullptr), 0);
    pthread_exit(nullptr);
  });
  EXPECT_FALSE(end.last_word.has_value());
  EXPECT_FALSE(end.timed_out);
}

TEST(ChildProcessTest, OneThatHangsIsKilledAtItsTimeLimit) {
  const ChildEnd end = EndOf(
      [](ChildLink&) -> int {
        signal(SIGTERM, SIG_IGN);
        while (true) pause();
      },
      absl::Milliseconds(50));
  EXPECT_TRUE(end.timed_out);
  EXPECT_TRUE(end.reaped);
  EXPECT_FALSE(end.last_word.has_value());
}

TEST(ChildProcessTest, WhatItStartedIsKilledWithIt) {
  int held[2];
  int ready[2];
  ASSERT_EQ(pipe2(held, 0), 0);
  ASSERT_EQ(pipe2(ready, 0), 0);
  const auto child = ChildProcess::Start({}, [&](ChildLink&) -> int {
    if (fork() == 0) {
      fork();
      EXPECT_EQ(write(ready[1], "r", 1), 1);
      while (true) pause();
    }
    while (true) pause();
  });
  ASSERT_TRUE(child.ok()) << child.status();
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  (*child)->KillTree();
  close(held[1]);
  // Blocks for as long as anybody holds the other end.
  EXPECT_EQ(read(held[0], &byte, 1), 0);
  for (const int descriptor : {held[0], ready[0], ready[1]}) close(descriptor);
}

TEST(ChildProcessTest, MessagesOfAnySizeComeInOrder) {
  std::string sent(3 * ChildLink::kMaxPiece + 17, 'a');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i % 251);
  std::string got;
  std::string kinds;
  const ChildEnd end = EndOf(
      [&](ChildLink& link) {
        link.Send('a', sent);
        link.Send('b', "");
        return 0;
      },
      kPatience,
      [&](char kind, absl::string_view bytes) {
        got.append(bytes.data(), bytes.size());
        kinds.push_back(kind);
      });
  EXPECT_EQ(end.last_word, 0);
  EXPECT_EQ(got, sent);
  EXPECT_EQ(kinds, "aaaab");
}

TEST(ChildProcessTest, WhatForeignCodeWritesIntoTheDescriptorSaysNothing) {
  std::string kinds;
  const ChildEnd end = EndOf(
      [&](ChildLink& link) -> int {
        const std::string lie(17 + sizeof(int), '\0');
        for (int descriptor = 3; descriptor < 1024; ++descriptor) {
          if (write(descriptor, lie.data(), lie.size()) < 0) continue;
        }
        link.Send('k', "");
        _exit(0);
      },
      kPatience,
      [&](char kind, absl::string_view /*bytes*/) { kinds.push_back(kind); });
  EXPECT_EQ(kinds, "k");
  EXPECT_FALSE(end.last_word.has_value());
}

TEST(ChildProcessTest, ACopyOfTheChildDoesNotSpeakForIt) {
  const ChildEnd end = EndOf([](ChildLink& link) -> int {
    const pid_t copy = fork();
    if (copy == 0) {
      link.SayLastWord(0);
      _exit(0);
    }
    waitpid(copy, nullptr, 0);
    _exit(0);
  });
  EXPECT_FALSE(end.last_word.has_value());
}

TEST(ChildProcessTest, ADescriptorThatWasClosedUnderItIsNoLastWord) {
  const ChildEnd end = EndOf([](ChildLink& link) {
    close(link.descriptor());
    return 0;
  });
  EXPECT_FALSE(end.last_word.has_value());
  EXPECT_TRUE(end.reaped);
}

TEST(ChildProcessTest, TheLinkDoesNotReachProgramsThatAreStarted) {
  const ChildEnd end = EndOf([](ChildLink& link) {
    return (fcntl(link.descriptor(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 1;
  });
  EXPECT_EQ(end.last_word, 0);
}

TEST(ChildProcessTest, AChildOutlivesNoParent) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, 0), 0);
  const ChildEnd end = EndOf([&](ChildLink&) -> int {
    auto inner = ChildProcess::Start({}, [](ChildLink&) -> int {
      while (true) pause();
    });
    EXPECT_TRUE(inner.ok());
    kill(getpid(), SIGKILL);
    return 0;
  });
  EXPECT_FALSE(end.last_word.has_value());
  close(pipe_ends[1]);
  char byte = 0;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), 0);
  close(pipe_ends[0]);
}

}  // namespace
}  // namespace sluice
