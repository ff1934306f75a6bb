#include "sluice/base/testing/test_program.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace sluice {
namespace {

void DieUnless(bool fine, const char* what) {
  if (fine) return;
  std::perror(what);
  abort();
}

}  // namespace

TestProgram::TestProgram(std::vector<std::string> arguments) {
  int in[2], out[2];
  DieUnless(pipe(in) == 0 && pipe(out) == 0, "pipe");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = fork();
  DieUnless(pid_ >= 0, "fork");
  if (pid_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    for (int fd = 3; fd < 64; ++fd) close(fd);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "w");
  from_ = out[0];
}

TestProgram::~TestProgram() {
  if (!reaped_) {
    kill(pid_, SIGKILL);
    Reap();
  }
  Hush();
  close(from_);
}

bool TestProgram::CanHear(absl::Duration patience) {
  if (heard_.find('\n') != std::string::npos) return true;
  pollfd wait = {from_, POLLIN, 0};
  return poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) >
         0;
}

std::string TestProgram::Hear() {
  while (true) {
    const size_t end = heard_.find('\n');
    if (end != std::string::npos) {
      std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return line;
    }
    char bytes[4096];
    const ssize_t got = read(from_, bytes, sizeof(bytes));
    if (got <= 0) return std::exchange(heard_, "");
    heard_.append(bytes, static_cast<size_t>(got));
  }
}

// One that is gone reads nothing; the test sees that by what it hears.
void TestProgram::Say(const std::string& line) {
  fputs((line + "\n").c_str(), to_);
  fflush(to_);
}

std::string TestProgram::Ask(const std::string& line) {
  Say(line);
  return Hear();
}

void TestProgram::Hush() {
  if (to_ != nullptr) fclose(to_);
  to_ = nullptr;
}

void TestProgram::Signal(int signal) {
  DieUnless(kill(pid_, signal) == 0, "kill");
}

void TestProgram::AwaitStopped() {
  int status = 0;
  DieUnless(waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status),
            "waitpid");
}

void TestProgram::AwaitEnded() {
  siginfo_t info = {};
  DieUnless(
      waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) == 0,
      "waitid");
}

int TestProgram::Reap() {
  int status = 0;
  waitpid(pid_, &status, 0);
  reaped_ = true;
  return status;
}

}  // namespace sluice
