#ifndef SLUICE_CLI_TERMINAL_EXIT_CODE_H_
#define SLUICE_CLI_TERMINAL_EXIT_CODE_H_

// What the command's exit status says, and the one table from error words to
// it. Stable for ever: scripts branch on it. Pure.

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice::cli {

// Of a command that works through --server, beside what the server says.
inline constexpr absl::string_view kServerUnreachable =
    "server_unreachable";  // away, refusing, silent, or lost on the way
inline constexpr absl::string_view kServerUntrusted =
    "server_untrusted";  // its certificate cannot be verified
inline constexpr absl::string_view kServerAnswerInvalid =
    "server_answer_invalid";  // something else answers, or another version

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kWarnings = 3,  // done, with warnings
  kDamage = 4,
  kNotFound = 10,
  kAlreadyRunning = 11,
  kWrongKey = 12,
  kPermission = 13,
  kUnreachable = 14,
  kNoSpace = 15,
  kPluginUnusable = 16,
  kUnsupported = 17,  // of a version that is newer, older or not known
  kProtected = 18,    // an archive that was named for removal is held
  kTimedOut = 124,
  kHangup = 129,       // by SIGHUP, as of a terminal that is closed
  kInterrupted = 130,  // by SIGINT, or `sluice job cancel`
  kTerminated = 143,   // by SIGTERM
};

struct ExitCodeSpec {
  ExitCode code;
  absl::string_view meaning;
  std::vector<absl::string_view> words;  // error words that end so
};

// All there are, ascending. A word that stands nowhere ends as kFailed.
const std::vector<ExitCodeSpec>& ExitCodes();

// kOk for OK.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_EXIT_CODE_H_
