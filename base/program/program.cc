#include "sluice/base/program/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

constexpr char kPath[] =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// How often a look is taken at the end, the time and `is_cancelled`.
constexpr int kLookMillis = 50;
constexpr int kFirstLookMillis = 2;
// How long one that was killed may take to be gone.
constexpr absl::Duration kReapPatience = absl::Seconds(2);

// --- its descriptors

class Pipe {
 public:
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  bool Open() { return pipe2(ends_, O_CLOEXEC) == 0; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void CloseRead() { Close(ends_[0]); }
  void CloseWrite() { Close(ends_[1]); }

 private:
  static void Close(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
  int ends_[2] = {-1, -1};
};

void MakeNonBlocking(int descriptor) {
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

// --- its start

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status SpawnError(const std::string& path, int error) {
  const std::string message =
      absl::StrCat("start ", path, ": ", strerror(error));
  if (error == ENOENT || error == ENOTDIR) {
    return absl::NotFoundError(message);
  }
  if (error == EACCES || error == EPERM || error == ENOEXEC) {
    return absl::PermissionDeniedError(message);
  }
  return absl::ResourceExhaustedError(message);
}

absl::StatusOr<pid_t> Spawn(const Program& program, const Pipe& input,
                            const Pipe& output) {
  std::vector<std::string> argv = program.argv;
  std::vector<std::string> environment = {kPath};
  for (const auto& [name, value] : program.environment) {
    environment.push_back(absl::StrCat(
        name, "=",
        absl::StrReplaceAll(value, {{absl::string_view("\0", 1), " "}})));
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (posix_spawn_file_actions_init(&actions) != 0 ||
      posix_spawnattr_init(&attributes) != 0) {
    return SpawnError(argv[0], ENOMEM);
  }
  const absl::Cleanup free = [&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  };
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawn_file_actions_adddup2(&actions, input.read_end(), 0);
  if (error == 0) {
    error = posix_spawn_file_actions_adddup2(&actions, output.write_end(), 1);
  }
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, 1, 2);
  // A library of a plugin may have opened some that others inherit.
  if (error == 0) {
    error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  }
  if (error == 0) error = posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  if (error == 0) {
    error = posix_spawn(&pid, argv[0].c_str(), &actions, &attributes,
                        Pointers(argv).data(), Pointers(environment).data());
  }
  if (error != 0) return SpawnError(argv[0], error);
  return pid;
}

// --- its life

class Running {
 public:
  Running(pid_t pid, const Program& program, Pipe& input, Pipe& output)
      : pid_(pid), program_(program), input_(input), output_(output) {}

  ProgramEnd Await(absl::FunctionRef<bool()> is_cancelled) {
    const absl::Duration began = Clock::Real()->SinceBoot();
    int patience = kFirstLookMillis;
    while (!Reap()) {
      Exchange(patience);
      patience = std::min(patience * 2, kLookMillis);
      if (killed_at_ < absl::InfiniteDuration()) {
        if (Clock::Real()->SinceBoot() - killed_at_ > kReapPatience) break;
        continue;
      }
      end_.timed_out =
          Clock::Real()->SinceBoot() - began >= program_.time_limit;
      end_.cancelled = !end_.timed_out && is_cancelled();
      if (end_.timed_out || end_.cancelled) Kill();
    }
    Take();  // what it left in the pipe
    return std::move(end_);
  }

 private:
  bool Reap() {
    int status = 0;
    const pid_t reaped = waitpid(pid_, &status, WNOHANG);
    if (reaped == 0 || (reaped < 0 && errno == EINTR)) return false;
    if (reaped == pid_) {
      if (WIFEXITED(status)) end_.exit_status = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
    }
    return true;
  }

  void Kill() {
    // Its session's group: what it has started and did not set apart.
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    killed_at_ = Clock::Real()->SinceBoot();
  }

  // Gives and takes what can be, waiting for `millis` at most.
  void Exchange(int millis) {
    pollfd both[2] = {{output_.read_end(), POLLIN, 0},
                      {input_.write_end(), POLLOUT, 0}};
    const int ready = poll(both, 2, millis);
    if (ready <= 0) return;
    if (both[0].revents != 0) Take();
    if (both[1].revents != 0) Give();
  }

  void Take() {
    char buffer[4096];
    // One that never stops writing keeps nobody from looking elsewhere.
    for (int i = 0; i < 16 && output_.read_end() >= 0; ++i) {
      const ssize_t size = read(output_.read_end(), buffer, sizeof(buffer));
      if (size < 0) return;
      if (size == 0) return output_.CloseRead();
      const size_t room = program_.max_output - end_.output.size();
      end_.output.append(buffer, std::min(room, static_cast<size_t>(size)));
    }
  }

  void Give() {
    const absl::string_view rest =
        absl::string_view(program_.input).substr(given_);
    const ssize_t size =
        rest.empty() ? 0 : write(input_.write_end(), rest.data(), rest.size());
    if (size > 0) given_ += static_cast<size_t>(size);
    if (given_ == program_.input.size() ||
        (size < 0 && errno != EAGAIN && errno != EINTR)) {
      input_.CloseWrite();
    }
  }

  const pid_t pid_;
  const Program& program_;
  Pipe& input_;
  Pipe& output_;
  size_t given_ = 0;
  absl::Duration killed_at_ = absl::InfiniteDuration();
  ProgramEnd end_;
};

// A write to one that does not read is an error of ours, not the end of us.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec now = {0, 0};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace

std::string ProgramEnd::Describe() const {
  std::string how =
      timed_out          ? "did not end in time and was killed"
      : cancelled        ? "was cancelled and killed"
      : exit_status >= 0 ? absl::StrCat("exit status ", exit_status)
      : signal != 0
          ? absl::StrCat("signal ", signal, " (", strsignal(signal), ")")
          : "how it ended is not known";
  std::string line = output;
  absl::RemoveExtraAsciiWhitespace(&line);
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return line.empty() ? how : absl::StrCat(how, ": ", line);
}

absl::StatusOr<ProgramEnd> RunProgram(const Program& program,
                                      absl::FunctionRef<bool()> is_cancelled) {
  if (program.argv.empty() || program.argv[0].empty() ||
      program.argv[0][0] != '/') {
    return InvalidArgument("a program is named by its absolute path");
  }
  Pipe input;
  Pipe output;
  if (!input.Open() || !output.Open()) {
    return SpawnError(program.argv[0], errno);
  }
  SLUICE_ASSIGN_OR_RETURN(const pid_t pid, Spawn(program, input, output));
  input.CloseRead();
  output.CloseWrite();
  MakeNonBlocking(input.write_end());
  MakeNonBlocking(output.read_end());
  const NoSigpipe no_sigpipe;
  return Running(pid, program, input, output).Await(is_cancelled);
}

absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quote == 0 && absl::ascii_isspace(static_cast<unsigned char>(c))) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == quote) {
      quote = 0;
      continue;
    }
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      continue;
    }
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) c = text[++i];
    words.back().push_back(c);
  }
  if (quote != 0) {
    return InvalidArgument(
        absl::StrCat("a ", absl::string_view(&quote, 1), " is not closed"));
  }
  return words;
}

}  // namespace sluice
