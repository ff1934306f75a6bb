#ifndef SLUICE_BASE_PROGRAM_PROGRAM_H_
#define SLUICE_BASE_PROGRAM_PROGRAM_H_

// Another program, run to its end: with nothing of ours but what it is given,
// and for no longer than it may take.
//
// Example:
//
//   Program program;
//   program.argv = {"/usr/local/bin/page", "backup failed"};
//   program.environment = {{"SLUICE_PLAN", "nightly"}};
//   program.time_limit = absl::Seconds(30);
//   SLUICE_ASSIGN_OR_RETURN(const ProgramEnd end, RunProgram(program));
//   if (!end.succeeded()) return absl::AbortedError(end.Describe());
//
// No shell: argv is what the program gets. It is a session of its own, with no
// descriptor but 0 to 2, default signals, and PATH=/usr/local/sbin:… as its
// whole environment beside what is given. At its time limit, or when `cancel`
// says so, it is killed with what it has started, as far as that is still of its
// group. One that ended leaves alone what it started: that may be why it was
// run. Its output is read to its own end, not to that of who inherited it.
//
// Any thread; runs share nothing. Blocks until the end. Cost: posix_spawn, two
// pipes, and memory for `max_output` at most.
//
// Errors: NOT_FOUND, PERMISSION_DENIED, or RESOURCE_EXHAUSTED where the program
// could not be started at all.

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice {

struct Program {
  std::vector<std::string> argv;  // the first is an absolute path
  std::vector<std::pair<std::string, std::string>> environment;
  std::string input;  // its stdin
  absl::Duration time_limit = absl::InfiniteDuration();
  // Of stdout and stderr together; what is beyond is read and forgotten.
  size_t max_output = 4096;
};

struct ProgramEnd {
  int exit_status = -1;  // -1: a signal ended it
  int signal = 0;
  bool timed_out = false;
  bool cancelled = false;
  std::string output;  // stdout and stderr, as they came

  bool succeeded() const {
    return exit_status == 0 && !timed_out && !cancelled;
  }
  // "exit status 3: no such volume", on one line.
  std::string Describe() const;
};

// `is_cancelled` is asked some times a second.
absl::StatusOr<ProgramEnd> RunProgram(
    const Program& program,
    absl::FunctionRef<bool()> is_cancelled = [] { return false; });

// Words at blanks, as a shell takes them apart, and nothing else of a shell:
// '…' holds all as it is, in "…" and outside a \ does so for the next
// character. invalid_argument where a quote is not closed.
absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view text);

}  // namespace sluice

#endif  // SLUICE_BASE_PROGRAM_PROGRAM_H_
