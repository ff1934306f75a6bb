#ifndef SLUICE_BASE_CHILD_PROCESS_H_
#define SLUICE_BASE_CHILD_PROCESS_H_

// Work in a process of its own, so that whatever ends that process (exit,
// _exit, abort, a signal, the end of its main thread) or keeps it from ending
// is seen by the one who started it, and does not end him.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const ChildEnd end,
//       RunInChild(
//           {.time_limit = absl::Seconds(30)},
//           [&](ChildLink& link) {
//             link.Send('n', "loading the plugin");
//             return Check().ok() ? 0 : 1;  // the last word
//           },
//           [&](char kind, absl::string_view bytes) { Print(bytes); }));
//   if (!end.last_word.has_value()) {
//     return absl::AbortedError(DescribeEnd(end));
//   }
//
// Nothing but the last word is an end: it is said when the body has returned,
// over a socket that carries whole messages, each under a number that was drawn
// for this child alone. Bytes that foreign code in the child writes into the
// descriptor by accident, and a copy of the child that it forked, say nothing.
// Foreign code that means to lie shares the child's memory and can: this is a
// guard against accidents, no sandbox.
//
// Fork: the child has the calling thread only, as fork(2) gives it. Start
// children before threads where the body does much.
//
// Threads: each class says its own. Ownership: bodies and receivers are
// borrowed for the call; the child works on its own copy of all memory. Cost: a
// fork, a socket pair, and a system call on either side for each message.
//
// Errors: RESOURCE_EXHAUSTED where the system gives no process or descriptor.

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/mutex.h"

namespace sluice {

// How a child ended.
struct ChildEnd {
  absl::optional<int> last_word;
  // It was waited for; false: it hangs in the kernel even though it was killed,
  // and ends when the kernel lets it go.
  bool reaped = false;
  int wait_status = 0;     // of waitpid, where it was reaped
  bool timed_out = false;  // RunInChild killed it
};

// "exit status 0", "signal 11 (Segmentation fault)", ...: how it ended as the
// kernel saw it.
std::string DescribeEnd(const ChildEnd& end);

// The child's side. Thread-safe.
class ChildLink {
 public:
  // A message of any size, in pieces of at most kMaxPiece bytes, each of them
  // delivered by itself. Blocks while the other side does not read. False: the
  // other side is gone. `kind` is any byte but 0.
  static constexpr size_t kMaxPiece = 32 << 10;
  bool Send(char kind, absl::string_view bytes);
  // The same, one piece, for where nothing may block: lost where there is no
  // room.
  void SendNow(char kind, absl::string_view bytes);
  // Says the last word before the body has returned. For a body that ends its
  // process itself; the first one counts.
  void SayLastWord(int code);

  // Reports POLLHUP once the other side is gone. For poll alone.
  int descriptor() const { return descriptor_; }

 private:
  friend class ChildProcess;
  ChildLink(int descriptor, std::string nonce);
  bool SendPiece(char kind, absl::string_view bytes, int flags);

  const int descriptor_;
  const pid_t owner_;  // a copy of the child that somebody forked is not it
  const std::string nonce_;
  Mutex mutex_;
  bool said_ ABSL_GUARDED_BY(mutex_) = false;
};

// The parent's side, for one that has more to wait for than its child. One
// thread.
class ChildProcess {
 public:
  struct Options {
    // What the child gets when the thread that started it ends without it.
    int on_parent_death = SIGKILL;
  };
  using Body = absl::FunctionRef<int(ChildLink&)>;
  using Receiver = absl::FunctionRef<void(char kind, absl::string_view bytes)>;

  // Starts `body`. In the child this does not return: the last word is what the
  // body returned, and the exit status too, as by exit(3).
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const Options& options, Body body);
  // Kills it where it was not reaped.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Readable when there are messages, or the other side is gone; -1 once that
  // was seen.
  int link_descriptor() const { return link_; }
  // Readable once it has ended; -1 where the kernel has none: ask TryReap now
  // and then.
  int end_descriptor() const { return pidfd_; }

  // Takes messages that are there, without blocking. True: there may be more; a
  // child that never stops talking keeps nobody from looking elsewhere.
  bool Receive(Receiver receiver);
  // True once the child has ended; then all that it said has been sent. Does
  // not block.
  bool TryReap();
  void Signal(int number);
  // Kills the child and what it has started, as far as that is still of its
  // session: a program that holds our caller's pipes would keep him waiting.
  void KillTree();

  const ChildEnd& end() const { return end_; }

 private:
  ChildProcess(pid_t pid, int link, std::string nonce);

  const pid_t pid_;
  int link_;
  int pidfd_;
  const std::string nonce_;
  ChildEnd end_;
};

struct ChildLimits {
  // After this the child is killed; infinite: never.
  absl::Duration time_limit = absl::InfiniteDuration();
  // How long a killed child may take to be gone before it is left behind.
  absl::Duration reap_patience = absl::Seconds(2);
};

// Runs `body` in a child and waits for its end. `receiver` runs on this thread
// for each message; without a child to be had, the result is an error.
absl::StatusOr<ChildEnd> RunInChild(const ChildLimits& limits,
                                    ChildProcess::Body body,
                                    ChildProcess::Receiver receiver);

}  // namespace sluice

#endif  // SLUICE_BASE_CHILD_PROCESS_H_
