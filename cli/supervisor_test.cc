// The supervisor with children that behave in every way. Each runs in a process
// of its own here: the supervisor takes its process's signals and stdout.

#include "sluice/cli/supervisor.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/cli/terminal/json.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

// What a shell would see.
struct Seen {
  int status = -1;  // as $?
  std::string out;
  std::string err;

  Json json() const { return Json::parse(out, nullptr, false); }
};

std::string Contents(std::FILE* file) {
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    text.push_back(static_cast<char>(c));
  }
  std::fclose(file);
  return text;
}

class SupervisorTest : public ::testing::Test {
 protected:
  using Verb = std::function<int(ChildLink&)>;

  SupervisorTest() {
    options_.console.json = true;
    options_.grace = absl::Milliseconds(50);
  }

  Seen Run(const Verb& verb) {
    std::FILE* const out = std::tmpfile();
    std::FILE* const err = std::tmpfile();
    const pid_t pid = fork();
    if (pid == 0) {
      dup2(fileno(out), STDOUT_FILENO);
      dup2(fileno(err), STDERR_FILENO);
      _exit(Supervise(options_, [&](ChildLink& link) { return verb(link); }));
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    Seen seen;
    seen.status =
        WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
    seen.out = Contents(out);
    seen.err = Contents(err);
    return seen;
  }

  static std::string CodeIn(const Seen& seen) {
    const Json json = seen.json();
    return json.is_discarded() ? seen.out
                               : json["error"]["code"].get<std::string>();
  }

  // For a verb: a catalog in which it runs job "job", that dies with it.
  std::unique_ptr<Catalog> StartJob(bool publishing) const {
    SqliteCatalogOptions options;
    options.path = options_.catalog_path;
    options.heartbeat = false;
    auto catalog = OpenSqliteCatalog(Context::Background(), options);
    BackupJob job;
    job.set_id("job");
    job.set_kind(BackupJob::BACKUP);
    job.set_status(BackupJob::RUNNING);
    job.set_repo_id("repo");
    job.set_backup_id("ARCHIVE");
    job.set_stage("streaming");
    const Context context = Context::Background();
    if (!catalog.ok() || !(*catalog)->CreateBackupJob(context, job).ok() ||
        (publishing && !(*catalog)->BeginPublish(context, "job").ok())) {
      _exit(99);
    }
    return *std::move(catalog);
  }

  void MakeCatalogFolder() {
    std::string folder = absl::StrCat(::testing::TempDir(), "/sup-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.catalog_path = folder + "/catalog.db";
  }

  BackupJob JobNow() {
    SqliteCatalogOptions options;
    options.path = options_.catalog_path;
    options.heartbeat = false;
    const auto catalog = *OpenSqliteCatalog(Context::Background(), options);
    return catalog->GetJob(Context::Background(), "job")->job;
  }

  SupervisorOptions options_;
};

[[noreturn]] void Hang() {
  while (true) pause();
}

TEST_F(SupervisorTest, TheLastWordIsTheExitStatusAndItsResultIsPrinted) {
  const Seen seen = Run([](ChildLink& link) {
    link.Send(kOutputMessage, "at once\n");
    link.Send(kResultMessage, "at the end\n");
    return 3;
  });
  EXPECT_EQ(seen.status, 3);
  EXPECT_EQ(seen.out, "at once\nat the end\n");
}

TEST_F(SupervisorTest, NoResultIsPrintedOfAProcessThatEndedBeforeItsLastWord) {
  const std::function<void()> ways[] = {[] { exit(0); }, [] { _exit(0); },
                                        [] { abort(); },
                                        [] { raise(SIGSEGV); }};
  for (const auto& way : ways) {
    const Seen seen = Run([&](ChildLink& link) {
      link.Send(kResultMessage, "{\"record\":{}}\n");
      way();
      return 0;
    });
    EXPECT_EQ(seen.status, 16);
    EXPECT_EQ(CodeIn(seen), kPluginUnusable);
    EXPECT_THAT(seen.err, HasSubstr("(plugin_unusable)"));
  }
}

TEST_F(SupervisorTest, AProcessThatSomebodyKilledIsNotBlamedOnAPlugin) {
  const Seen seen = Run([](ChildLink&) { return kill(getpid(), SIGKILL); });
  EXPECT_EQ(seen.status, 16);
  EXPECT_EQ(CodeIn(seen), kProcessDied);
}

TEST_F(SupervisorTest, ACrashAfterALastWordOfSuccessIsNone) {
  const Seen seen = Run([](ChildLink& link) {
    link.Send(kResultMessage, "{\"record\":{}}\n");
    link.SayLastWord(0);
    abort();
    return 0;
  });
  EXPECT_EQ(seen.status, 16);
  EXPECT_EQ(CodeIn(seen), kPluginUnusable);
}

TEST_F(SupervisorTest, WhatForeignCodePrintsIsNoResult) {
  const Seen seen = Run([](ChildLink& link) {
    link.Send(kResultMessage, "{}\n");
    EXPECT_EQ(write(STDOUT_FILENO, "noise\n", 6), 6);
    return 0;
  });
  EXPECT_EQ(seen.out, "{}\n");
  EXPECT_THAT(seen.err, HasSubstr("noise"));
}

TEST_F(SupervisorTest, OneThatHangsIsKilledOnceTimeoutAndGraceHavePassed) {
  options_.timeout = absl::Milliseconds(20);
  const Seen seen = Run([](ChildLink&) -> int { Hang(); });
  EXPECT_EQ(seen.status, 124);
  EXPECT_EQ(CodeIn(seen), kDeadlineExceeded);
  EXPECT_THAT(seen.err, HasSubstr("killed"));
}

TEST_F(SupervisorTest, ACancelThatOnlyTheChildKnowsOfBeginsTheGrace) {
  const Seen seen = Run([](ChildLink& link) -> int {
    link.SendNow(kEndingMessage,
                 EncodeCause(MakeError(absl::StatusCode::kCancelled, kCancelled,
                                       "cancelled by `sluice job cancel`")));
    Hang();
  });
  EXPECT_EQ(seen.status, 130);
  EXPECT_EQ(CodeIn(seen), kCancelled);
  EXPECT_THAT(seen.err, HasSubstr("job cancel"));
}

TEST_F(SupervisorTest, ASignalReachesTheChildAndItsLastWordCounts) {
  options_.grace = absl::InfiniteDuration();
  const Seen seen = Run([](ChildLink& link) {
    static volatile bool told = false;
    signal(SIGTERM, [](int) { told = true; });
    kill(getppid(), SIGTERM);
    while (!told) usleep(1000);
    link.Send(kResultMessage, "{\"told\":true}\n");
    return 143;
  });
  EXPECT_EQ(seen.status, 143);
  EXPECT_EQ(seen.out, "{\"told\":true}\n");
}

TEST_F(SupervisorTest, AFirstSignalEndsOneThatHangsAfterTheGrace) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const Seen seen = Run([&](ChildLink&) -> int {
      kill(getppid(), number);
      Hang();
    });
    EXPECT_EQ(seen.status, 128 + number);
    EXPECT_EQ(CodeIn(seen), kCancelled);
  }
}

TEST_F(SupervisorTest, ASecondSignalEndsItAtOnce) {
  options_.grace = absl::InfiniteDuration();
  const Seen seen = Run([](ChildLink&) -> int {
    kill(getppid(), SIGINT);
    // Two of one kind that wait at once would be one.
    kill(getppid(), SIGTERM);
    Hang();
  });
  EXPECT_TRUE(seen.status == 130 || seen.status == 143) << seen.status;
}

TEST_F(SupervisorTest, QuitEndsItAtOnce) {
  options_.grace = absl::InfiniteDuration();
  const Seen seen = Run([](ChildLink&) -> int {
    kill(getppid(), SIGQUIT);
    Hang();
  });
  EXPECT_EQ(seen.status, 131);
}

TEST_F(SupervisorTest, ASignalThatTheCallerIgnoresIsIgnored) {
  signal(SIGINT, SIG_IGN);
  const Seen seen = Run([](ChildLink&) {
    kill(getppid(), SIGINT);
    return 0;
  });
  signal(SIGINT, SIG_DFL);
  EXPECT_EQ(seen.status, 0);
}

TEST_F(SupervisorTest, AStopStopsBothAndBothGoOn) {
  int stopped[2];
  ASSERT_EQ(pipe(stopped), 0);
  std::FILE* const out = std::tmpfile();
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(fileno(out), STDOUT_FILENO);
    _exit(Supervise(options_, [&](ChildLink&) {
      kill(getppid(), SIGTSTP);
      char byte = 0;
      return read(stopped[0], &byte, 1) == 1 ? 7 : 8;
    }));
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
  EXPECT_TRUE(WIFSTOPPED(status));
  kill(pid, SIGCONT);
  EXPECT_EQ(write(stopped[1], "g", 1), 1);
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  std::fclose(out);
}

TEST_F(SupervisorTest, AReaderThatIsGoneEndsItLikeAnyFilter) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    signal(SIGPIPE, SIG_IGN);
    dup2(pipe_ends[1], STDOUT_FILENO);
    close(pipe_ends[1]);
    close(pipe_ends[0]);
    _exit(Supervise(options_, [](ChildLink& link) {
      link.Send(kResultMessage, "{}\n");
      return 0;
    }));
  }
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) << status;
}

// --- jobs

TEST_F(SupervisorTest, TheJobOfAProcessThatEndedIsInterruptedAndTold) {
  MakeCatalogFolder();
  const Seen seen = Run([&](ChildLink&) -> int {
    const auto catalog = StartJob(/*publishing=*/false);
    _exit(0);
  });
  EXPECT_EQ(seen.status, 16);
  EXPECT_EQ(seen.json()["job"]["status"], "interrupted");
  EXPECT_EQ(JobNow().status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobNow().error_code(), kPluginUnusable);
}

TEST_F(SupervisorTest, TheJobOfOneThatWasKilledBearsTheCause) {
  MakeCatalogFolder();
  const Seen seen = Run([&](ChildLink&) -> int {
    const auto catalog = StartJob(/*publishing=*/false);
    kill(getppid(), SIGTERM);
    Hang();
  });
  EXPECT_EQ(seen.status, 143);
  EXPECT_EQ(JobNow().status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobNow().error_code(), kCancelled);
}

TEST_F(SupervisorTest, OneThatMayHavePublishedIsNotToldAsIfItHadNot) {
  MakeCatalogFolder();
  const Seen seen = Run([&](ChildLink&) -> int {
    const auto catalog = StartJob(/*publishing=*/true);
    _exit(0);
  });
  EXPECT_EQ(seen.status, 16);
  EXPECT_EQ(JobNow().status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobNow().error_code(), kPublishOutcomeUnknown);
}

TEST_F(SupervisorTest, ACatalogThatIsNotThereIsNotMade) {
  MakeCatalogFolder();
  EXPECT_EQ(Run([](ChildLink&) -> int { _exit(0); }).status, 16);
  EXPECT_NE(access(options_.catalog_path.c_str(), F_OK), 0);
}

TEST(CauseTest, GoesThroughAMessageWhole) {
  const absl::Status cause =
      MakeError(absl::StatusCode::kAborted, kPluginUnusable, "first\nsecond");
  const absl::Status back = DecodeCause(EncodeCause(cause));
  EXPECT_EQ(back.code(), cause.code());
  EXPECT_EQ(ErrorCodeOf(back), kPluginUnusable);
  EXPECT_EQ(back.message(), "first\nsecond");
  for (const char* bad : {"", "1", "1\nword", "x\nword\nmessage", "0\n\n"}) {
    EXPECT_FALSE(DecodeCause(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace sluice::cli
