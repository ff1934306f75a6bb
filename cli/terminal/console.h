#ifndef SLUICE_CLI_TERMINAL_CONSOLE_H_
#define SLUICE_CLI_TERMINAL_CONSOLE_H_

// stdout, which is the result, and stderr, which is everything else.
//
//   console.Result("01JD...\n");              // kept until Flush
//   console.Note("sweeping the repo");        // a line for people
//   console.Log(LogLevel::kInfo, "job finished", {{"job_id", id}});
//   console.ShowBar("[####....] 45%");        // redrawn below each line
//
// Thread-safe. What cannot be written to stderr is lost; what cannot be written
// to stdout is an error of Flush.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/cli/terminal/json.h"

namespace sluice::cli {

enum class LogLevel { kInfo, kWarning, kError };

struct ConsoleOptions {
  int result_fd = 1;
  // Takes the results in place of result_fd.
  std::function<absl::Status(absl::string_view)> result_sink = nullptr;
  int note_fd = 2;
  bool result_terminal = false;  // result_fd is one
  bool json = false;             // the result is JSON
  bool logs = true;
  bool quiet = false;     // only lists, warnings and errors
  bool json_log = false;  // else logfmt
  bool terminal = false;  // notes go to one: a bar may be drawn
  bool color = false;
};

class Console {
 public:
  Console(const ConsoleOptions& options, const Clock* clock)
      : options_(options), clock_(clock) {}
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool json() const { return options_.json; }
  bool terminal() const { return options_.terminal; }

  // Text of the result, made printable but for line ends and tabs.
  void Result(absl::string_view text);
  // The same where it only says that what was asked for is done.
  void Done(absl::string_view text);
  // Bytes of the result: as they are for a file or a pipe, made printable where
  // stdout is a terminal. For what a plugin's verb prints.
  void ResultBytes(absl::string_view bytes);
  // One line of JSON of the result.
  void ResultJson(const Json& json);
  // Writes the results. UNAVAILABLE where the reader is gone (EPIPE), from then
  // on.
  absl::Status Flush();

  // A line on stderr, made printable.
  void Note(absl::string_view line);
  // "sluice: error: ..." and its hint.
  void Error(const absl::Status& status);
  // A line for machines. `fields` is an object of strings, numbers, booleans.
  void Log(LogLevel level, absl::string_view message, const Json& fields);
  // The line of progress at the bottom, in place of an earlier one; only on a
  // terminal, and no wider than that. Empty: none.
  void ShowBar(absl::string_view bar);
  // Columns of the terminal, which may change; 80 where it does not say.
  size_t Width() const;

 private:
  void WriteLine(const std::string& line);

  const ConsoleOptions options_;
  const Clock* const clock_;
  Mutex mutex_;
  std::string result_ ABSL_GUARDED_BY(mutex_);
  bool reader_gone_ ABSL_GUARDED_BY(mutex_) = false;
  std::string bar_ ABSL_GUARDED_BY(mutex_);
};

// One logfmt line, without its end: level=info msg="job finished" job_id=01J
std::string Logfmt(const Json& fields);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_CONSOLE_H_
