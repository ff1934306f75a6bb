#ifndef SLUICE_CLI_SUPERVISOR_H_
#define SLUICE_CLI_SUPERVISOR_H_

// The process that starts a verb, and outlives whatever becomes of it.
//
// A verb runs the code of plugins, reads places that may never answer, and runs
// programs that give secrets. So it runs in a child; this process, its parent,
// loads nothing and opens no file. It waits for the child's last word:
//
// what happens                    | what follows
// --------------------------------|--------------------------------------------
// the last word                   | the result is printed; its exit status
// the child is gone without it    | its jobs are ended as `interrupted`, an
// (exit, a crash, pthread_exit)   | error is printed, exit status 16
// --timeout passed, SIGINT,       | the child cancels its run; it has --grace
// SIGTERM, SIGHUP, `job cancel`   | to say its last word, then it is killed:
//                                 | its jobs are ended, exit status 124, 130...
// a second signal, SIGQUIT        | it is killed at once, the rest as above
// SIGTSTP, SIGCONT                | both processes stop, both go on
// this process is killed          | the child cancels its run, and ends itself
//                                 | after --grace at the latest
//
// The result goes to stdout only once it is certain how the run ended, so no
// success is printed before a failure. What foreign code prints to stdout in
// the child goes to stderr. That the jobs' last rows are written is the work of
// a child of its own, bounded too: the catalog may lie on the very file system
// that hangs.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/child_process.h"
#include "sluice/cli/terminal/console.h"

namespace sluice::cli {

// What a verb's child sends.
inline constexpr char kOutputMessage = 'o';  // a result, to be printed now
inline constexpr char kResultMessage = 'r';  // to be printed at the good end
inline constexpr char kEndingMessage = 'e';  // its run was told to end: why

// A status as a message, and back; without its hint.
std::string EncodeCause(const absl::Status& cause);
absl::Status DecodeCause(absl::string_view bytes);

// How long a run that was told to end may take for it.
inline constexpr absl::Duration kDefaultGrace = absl::Seconds(10);

struct SupervisorOptions {
  ConsoleOptions console;
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration grace = kDefaultGrace;
  // SIGHUP ends nothing: the child is told, and goes on.
  bool hangup_goes_on = false;
  // Where the jobs of a child that died are; empty: nowhere.
  std::string catalog_path;
};

// Runs `verb` in a child and returns the command's exit status. To be called
// before any thread is started; once in a process. Raises SIGPIPE where nobody
// reads the result.
int Supervise(const SupervisorOptions& options, ChildProcess::Body verb);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SUPERVISOR_H_
