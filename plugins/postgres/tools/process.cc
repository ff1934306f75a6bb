#include "sluice/plugins/postgres/tools/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/sql_error.h"

extern char** environ;

namespace sluice::postgres {
namespace {

constexpr absl::Duration kTermPatience = absl::Milliseconds(400);
constexpr size_t kKeptStderr = 64 << 10;
constexpr size_t kShownStderr = 3000;

absl::Status CannotStart(const std::string& program, int error) {
  return MakeError(absl::StatusCode::kUnavailable, kSourceUnavailable,
                   absl::StrCat("start ", program, ": ", std::strerror(error)));
}

// Both ends of a pipe, closed with it.
struct Pipe {
  int read = -1;
  int write = -1;

  int Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    read = ends[0];
    write = ends[1];
    return 0;
  }
  void CloseWrite() {
    if (write >= 0) close(std::exchange(write, -1));
  }
  void CloseRead() {
    if (read >= 0) close(std::exchange(read, -1));
  }
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
};

// Whether a program may see the variable `name` of ours.
bool IsInherited(absl::string_view name, bool libpq) {
  constexpr absl::string_view kNames[] = {
      "PATH", "HOME",   "USER",    "LOGNAME",         "SHELL",    "LANG",
      "TZ",   "TMPDIR", "NLSPATH", "LD_LIBRARY_PATH", "LANGUAGE", "LD_PRELOAD"};
  if (std::find(std::begin(kNames), std::end(kNames), name) !=
      std::end(kNames)) {
    return true;
  }
  if (absl::StartsWith(name, "LC_") || absl::EndsWith(name, "SAN_OPTIONS")) {
    return true;
  }
  return libpq &&
         (absl::StartsWith(name, "PG") || absl::StartsWith(name, "KRB5") ||
          absl::StartsWith(name, "SSL_CERT_") || name == "OPENSSL_CONF");
}

std::vector<std::string> EnvironmentOf(const ProcessOptions& options) {
  const auto is_set = [&options](absl::string_view name) {
    return std::any_of(
        options.environment.begin(), options.environment.end(),
        [name](const auto& entry) { return entry.first == name; });
  };
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const absl::string_view name =
        absl::string_view(*variable).substr(0, std::strcspn(*variable, "="));
    if (IsInherited(name, options.inherit_libpq) && !is_set(name)) {
      variables.emplace_back(*variable);
    }
  }
  for (const auto& entry : options.environment) {
    variables.push_back(absl::StrCat(entry.first, "=", entry.second));
  }
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A process group of its own, so that what it starts can be ended with it.
int Spawn(const ProcessOptions& options, const Pipe& out, const Pipe& err,
          pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const absl::Cleanup destroy = [&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  };
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  // To its own number: that takes close-on-exec from it, in the child alone.
  for (const int file : options.files) {
    posix_spawn_file_actions_adddup2(&actions, file, file);
  }
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> environment = EnvironmentOf(options);
  return posix_spawn(pid, arguments[0].c_str(), &actions, &attributes,
                     Pointers(arguments).data(), Pointers(environment).data());
}

// Waits for the end of `pid` until `deadline`; false: it still runs.
bool Reap(pid_t pid, absl::Time deadline, int* state) {
  while (true) {
    const pid_t reaped = waitpid(pid, state, WNOHANG);
    if (reaped == pid || (reaped < 0 && errno != EINTR)) return true;
    if (absl::Now() >= deadline) return false;
    poll(nullptr, 0, 5);
  }
}

void End(pid_t pid) {
  int state = 0;
  kill(-pid, SIGTERM);
  if (!Reap(pid, absl::Now() + kTermPatience, &state)) {
    kill(-pid, SIGKILL);
    Reap(pid, absl::InfiniteFuture(), &state);
  }
}

// Reads both pipes to their ends.
class Listener {
 public:
  Listener(Pipe& out, Pipe& err,
           absl::FunctionRef<absl::Status(absl::string_view)> on_output)
      : out_(out), err_(err), on_output_(on_output) {}

  absl::Status Listen(const Interrupt& interrupt) {
    while (out_.read >= 0 || err_.read >= 0) {
      SLUICE_RETURN_IF_ERROR(interrupt.status());
      pollfd polled[2] = {{out_.read, POLLIN, 0}, {err_.read, POLLIN, 0}};
      if (poll(polled, 2, kPollMilliseconds) <= 0) continue;
      if (polled[1].revents != 0) ReadError();
      if (polled[0].revents != 0) SLUICE_RETURN_IF_ERROR(ReadOutput());
    }
    return absl::OkStatus();
  }
  const std::string& errors() const { return errors_; }

 private:
  absl::Status ReadOutput() {
    const ssize_t size = read(out_.read, buffer_, sizeof(buffer_));
    if (size > 0) {
      return on_output_(absl::string_view(buffer_, static_cast<size_t>(size)));
    }
    if (size == 0 || errno != EINTR) out_.CloseRead();
    return absl::OkStatus();
  }
  void ReadError() {
    const ssize_t size = read(err_.read, buffer_, sizeof(buffer_));
    if (size > 0) {
      errors_.append(buffer_, static_cast<size_t>(size));
      if (errors_.size() > kKeptStderr) {
        errors_.erase(0, errors_.size() - kKeptStderr);
      }
    } else if (size == 0 || errno != EINTR) {
      err_.CloseRead();
    }
  }

  Pipe& out_;
  Pipe& err_;
  const absl::FunctionRef<absl::Status(absl::string_view)> on_output_;
  std::string errors_;
  char buffer_[64 << 10];
};

// What it wrote to stderr, for people.
std::string Said(const ProcessOptions& options, absl::string_view errors) {
  errors = absl::StripAsciiWhitespace(errors);
  if (options.secret.empty()) return std::string(errors);
  return absl::StrReplaceAll(errors, {{options.secret, "********"}});
}

absl::Status ExitError(const ProcessOptions& options, int state,
                       absl::string_view said) {
  if (said.size() > kShownStderr) {
    said.remove_prefix(said.size() - kShownStderr);
  }
  return MakeError(
      absl::StatusCode::kUnknown, kSourceFailed,
      absl::StrCat(options.arguments[0], " ",
                   WIFEXITED(state)
                       ? absl::StrCat("failed with status ", WEXITSTATUS(state))
                       : absl::StrCat("died of signal ", WTERMSIG(state)),
                   ": ", OneLine(said)));
}

}  // namespace

absl::Status RunProcess(
    const ProcessOptions& options, const Interrupt& interrupt,
    absl::FunctionRef<absl::Status(absl::string_view)> on_output,
    std::string* said) {
  SLUICE_RETURN_IF_ERROR(interrupt.status());
  Pipe out, err;
  int error = out.Open();
  if (error == 0) error = err.Open();
  pid_t pid = -1;
  if (error == 0) error = Spawn(options, out, err, &pid);
  if (error != 0) return CannotStart(options.arguments[0], error);
  out.CloseWrite();
  err.CloseWrite();
  const auto listener = std::make_unique<Listener>(out, err, on_output);
  absl::Status status = listener->Listen(interrupt);
  int state = 0;
  while (
      status.ok() &&
      !Reap(pid, absl::Now() + absl::Milliseconds(kPollMilliseconds), &state)) {
    status = interrupt.status();
  }
  if (!status.ok()) {
    End(pid);
    return status;
  }
  const std::string errors = Said(options, listener->errors());
  if (said != nullptr) *said = errors;
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return absl::OkStatus();
  return ExitError(options, state, errors);
}

absl::StatusOr<std::string> RunProcessForText(const ProcessOptions& options,
                                              const Interrupt& interrupt,
                                              size_t max_bytes) {
  std::string text;
  SLUICE_RETURN_IF_ERROR(
      RunProcess(options, interrupt, [&](absl::string_view bytes) {
        if (text.size() + bytes.size() > max_bytes) {
          return MakeError(absl::StatusCode::kResourceExhausted, kSourceFailed,
                           absl::StrCat(options.arguments[0],
                                        " wrote more than was expected"));
        }
        absl::StrAppend(&text, bytes);
        return absl::OkStatus();
      }));
  return text;
}

}  // namespace sluice::postgres
