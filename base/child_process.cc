#include "sluice/base/child_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

constexpr size_t kNonceBytes = 16;
constexpr char kLastWord = '\0';
// The status of a child whose body neither returned nor ended the process: its
// main thread was ended under it.
constexpr int kThreadEnded = 125;
// Where to look for a descriptor that nobody guesses or walks over.
constexpr int kDescriptorsFrom = 200;
constexpr int kDescriptorsSpread = 600;
constexpr int kMessagesAtOnce = 32;
constexpr absl::Duration kReapPoll = absl::Milliseconds(20);

// The link of this process, and whether its last word was said. Plain, as
// exit's handlers read them when everything else may be gone.
pid_t link_owner = 0;
volatile bool last_word_said = false;

// Where foreign code calls exit(), no destructor of ours may run beside threads
// that still do: they could hang or crash, and be taken for the cause.
void OnExit(int status, void* /*unused*/) {
  if (getpid() == link_owner && !last_word_said) _exit(status);
}

absl::Status NotStarted(absl::string_view what) {
  return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                   absl::StrCat(what, ": ", strerror(errno)));
}

std::string DrawNonce() {
  std::string nonce(kNonceBytes, '\0');
  size_t have = 0;
  while (have < nonce.size()) {
    const ssize_t got = getrandom(&nonce[have], nonce.size() - have, 0);
    if (got > 0) have += static_cast<size_t>(got);
    if (got < 0 && errno != EINTR) break;
  }
  return nonce;
}

// The same socket under a number that is not the next free one.
int Hidden(int descriptor, const std::string& nonce) {
  uint16_t draw = 0;
  std::memcpy(&draw, nonce.data(), sizeof(draw));
  const int from = kDescriptorsFrom + draw % kDescriptorsSpread;
  const int hidden = fcntl(descriptor, F_DUPFD_CLOEXEC, from);
  if (hidden < 0) return descriptor;  // few descriptors are allowed here
  close(descriptor);
  return hidden;
}

// Parent and session of a process; false: it is gone.
bool ReadRelatives(const std::string& pid, pid_t& parent, pid_t& session) {
  const int file =
      open(absl::StrCat("/proc/", pid, "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[1024];
  const ssize_t size = read(file, text, sizeof(text));
  close(file);
  if (size <= 0) return false;
  const std::string line(text, static_cast<size_t>(size));
  // The command's name stands in parentheses and may hold any byte.
  const size_t end = line.rfind(')');
  if (end == std::string::npos || end + 2 >= line.size()) return false;
  const std::vector<std::string> fields =
      absl::StrSplit(line.substr(end + 2), ' ');
  return fields.size() > 3 && absl::SimpleAtoi(fields[1], &parent) &&
         absl::SimpleAtoi(fields[3], &session);
}

// What `root` has started, and what that has, within our session.
std::vector<pid_t> Descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return {};
  const pid_t ours = getsid(0);
  while (const dirent* entry = readdir(processes)) {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    if (!ReadRelatives(entry->d_name, parent, session)) continue;
    if (session == ours) children.emplace(parent, pid);
  }
  closedir(processes);
  std::vector<pid_t> found = {root};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto [begin, end] = children.equal_range(found[i]);
    for (auto child = begin; child != end; ++child) {
      found.push_back(child->second);
    }
  }
  found.erase(found.begin());
  return found;
}

[[noreturn]] void RunBody(ChildProcess::Body body, ChildLink& link) {
  // Also where foreign code ends this thread by pthread_exit, which unwinds it.
  const absl::Cleanup thread_ended = [] { _exit(kThreadEnded); };
  const int code = body(link);
  link.SayLastWord(code);
  exit(code);
}

int PollTimeout(absl::Duration left) {
  const int64_t rounded_up =
      absl::ToInt64Milliseconds(left + absl::Microseconds(999));
  return static_cast<int>(std::clamp<int64_t>(rounded_up, 0, 60'000));
}

}  // namespace

std::string DescribeEnd(const ChildEnd& end) {
  if (!end.reaped) return "it hangs in the kernel and cannot be killed";
  if (WIFSIGNALED(end.wait_status)) {
    const int number = WTERMSIG(end.wait_status);
    return absl::StrCat("signal ", number, " (", strsignal(number), ")");
  }
  const int status = WEXITSTATUS(end.wait_status);
  if (!end.last_word.has_value() && status == kThreadEnded) {
    return "its main thread was ended (pthread_exit)";
  }
  return absl::StrCat("exit status ", status);
}

// --- the child's side

ChildLink::ChildLink(int descriptor, std::string nonce)
    : descriptor_(descriptor), owner_(getpid()), nonce_(std::move(nonce)) {}

bool ChildLink::SendPiece(char kind, absl::string_view bytes, int flags) {
  if (getpid() != owner_) return false;
  const std::string message = absl::StrCat(nonce_, absl::string_view(&kind, 1),
                                           bytes.substr(0, kMaxPiece));
  while (true) {
    const ssize_t sent =
        send(descriptor_, message.data(), message.size(), MSG_NOSIGNAL | flags);
    if (sent >= 0) return true;
    if (errno != EINTR) return false;
  }
}

bool ChildLink::Send(char kind, absl::string_view bytes) {
  do {
    if (!SendPiece(kind, bytes, 0)) return false;
    bytes.remove_prefix(std::min(bytes.size(), kMaxPiece));
  } while (!bytes.empty());
  return true;
}

void ChildLink::SendNow(char kind, absl::string_view bytes) {
  SendPiece(kind, bytes, MSG_DONTWAIT);
}

void ChildLink::SayLastWord(int code) {
  MutexLock lock(mutex_);
  if (said_) return;
  said_ = SendPiece(
      kLastWord,
      absl::string_view(reinterpret_cast<const char*>(&code), sizeof(code)), 0);
  if (said_ && link_owner == owner_) last_word_said = true;
}

// --- the parent's side

ChildProcess::ChildProcess(pid_t pid, int link, std::string nonce)
    : pid_(pid),
      link_(link),
      pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      nonce_(std::move(nonce)) {}

ChildProcess::~ChildProcess() {
  if (!end_.reaped && !TryReap()) {
    KillTree();
    TryReap();
  }
  if (link_ >= 0) close(link_);
  if (pidfd_ >= 0) close(pidfd_);
}

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const Options& options, Body body) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return NotStarted("make a socket for a child process");
  }
  std::string nonce = DrawNonce();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    const absl::Status status = NotStarted("start a child process");
    close(sockets[0]);
    close(sockets[1]);
    return status;
  }
  if (pid == 0) {
    close(sockets[0]);
    prctl(PR_SET_PDEATHSIG, options.on_parent_death);
    // It may have died before that.
    if (getppid() != parent) raise(options.on_parent_death);
    ChildLink link(Hidden(sockets[1], nonce), nonce);
    link_owner = getpid();
    last_word_said = false;
    on_exit(&OnExit, nullptr);
    RunBody(body, link);
  }
  close(sockets[1]);
  return std::unique_ptr<ChildProcess>(
      new ChildProcess(pid, sockets[0], std::move(nonce)));
}

bool ChildProcess::Receive(Receiver receiver) {
  char buffer[kNonceBytes + 1 + ChildLink::kMaxPiece];
  for (int i = 0; i < kMessagesAtOnce && link_ >= 0; ++i) {
    const ssize_t size = recv(link_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return false;
    if (size <= 0) {
      close(link_);
      link_ = -1;
      return false;
    }
    absl::string_view message(buffer, static_cast<size_t>(size));
    if (message.substr(0, kNonceBytes) != nonce_) continue;
    message.remove_prefix(kNonceBytes);
    if (message.empty()) continue;
    const char kind = message[0];
    message.remove_prefix(1);
    if (kind != kLastWord) {
      receiver(kind, message);
    } else if (message.size() == sizeof(int) && !end_.last_word.has_value()) {
      int code = 0;
      std::memcpy(&code, message.data(), sizeof(code));
      end_.last_word = code;
    }
  }
  return link_ >= 0;
}

bool ChildProcess::TryReap() {
  if (end_.reaped) return true;
  int status = 0;
  pid_t got = 0;
  do {
    got = waitpid(pid_, &status, WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  // Nobody else may wait for it; if somebody did, it is gone all the same.
  end_.reaped = true;
  end_.wait_status = got == pid_ ? status : 0;
  return true;
}

void ChildProcess::Signal(int number) {
  if (!end_.reaped) kill(pid_, number);
}

void ChildProcess::KillTree() {
  if (end_.reaped) return;
  const std::vector<pid_t> descendants = Descendants(pid_);
  kill(pid_, SIGKILL);
  for (const pid_t pid : descendants) kill(pid, SIGKILL);
}

absl::StatusOr<ChildEnd> RunInChild(const ChildLimits& limits,
                                    ChildProcess::Body body,
                                    ChildProcess::Receiver receiver) {
  absl::StatusOr<std::unique_ptr<ChildProcess>> started =
      ChildProcess::Start({}, body);
  if (!started.ok()) return started.status();
  ChildProcess& child = **started;
  Clock* const clock = Clock::Real();
  absl::Duration ends = clock->SinceBoot() + limits.time_limit;
  bool killed = false;
  while (!child.TryReap()) {
    child.Receive(receiver);
    const absl::Duration left = ends - clock->SinceBoot();
    if (left <= absl::ZeroDuration()) {
      if (killed) break;
      killed = true;
      child.KillTree();
      ends = clock->SinceBoot() + limits.reap_patience;
      continue;
    }
    pollfd waits[] = {{child.link_descriptor(), POLLIN, 0},
                      {child.end_descriptor(), POLLIN, 0}};
    const bool blind = child.end_descriptor() < 0;
    poll(waits, 2, PollTimeout(blind ? std::min(left, kReapPoll) : left));
  }
  while (child.Receive(receiver)) {
  }
  ChildEnd end = child.end();
  end.timed_out = killed;
  return end;
}

}  // namespace sluice
