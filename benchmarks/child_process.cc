#include "sluice/benchmarks/child_process.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/benchmarks/measure.h"

namespace sluice::benchmarks {
namespace {

std::string WholeOutput(int fd) {
  std::string output;
  char buffer[4096];
  for (off_t at = 0;;) {
    const ssize_t count = pread(fd, buffer, sizeof(buffer), at);
    if (count <= 0) return output;
    output.append(buffer, static_cast<size_t>(count));
    at += count;
  }
}

}  // namespace

ProcessCost RunProcess(const std::vector<std::string>& command) {
  return ChildProcess(command).Wait();
}

ChildProcess::ChildProcess(const std::vector<std::string>& command)
    : name_(absl::StrJoin(command, " ")),
      began_(MonotonicSeconds()),
      output_(memfd_create("output", MFD_CLOEXEC)) {
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(output_, STDOUT_FILENO);
    dup2(output_, STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_);
}

namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessCost ChildProcess::Wait() {
  int status = -1;
  rusage usage = {};
  const bool waited = pid_ > 0 && wait4(pid_, &status, 0, &usage) == pid_;
  pid_ = -1;
  ProcessCost cost;
  cost.seconds = MonotonicSeconds() - began_;
  cost.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  cost.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  if (!waited || status != 0) {
    DieUnlessOk(absl::InternalError(absl::StrCat("wait status ", status, "\n",
                                                 WholeOutput(output_))),
                name_);
  }
  return cost;
}

}  // namespace sluice::benchmarks
