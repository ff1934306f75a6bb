#include "sluice/cli/app.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/cli/console.h"
#include "sluice/cli/help.h"
#include "sluice/cli/interrupt.h"
#include "sluice/cli/session.h"
#include "sluice/cli/verbs.h"

namespace sluice::cli {
namespace {

using Verb = Outcome (*)(Session&);

struct VerbFunction {
  absl::string_view path;
  Verb function;
};

// The one table from words to functions.
constexpr VerbFunction kVerbs[] = {
    {"backup", RunBackupVerb},
    {"restore", RunRestoreVerb},
    {"verify", RunVerifyVerb},
    {"list", RunListVerb},
    {"show", RunShowVerb},
    {"delete", RunDeleteVerb},
    {"reconcile", RunReconcileVerb},
    {"sweep", RunSweepVerb},
    {"repo add", RunRepoAddVerb},
    {"repo list", RunRepoListVerb},
    {"repo show", RunRepoShowVerb},
    {"repo repair", RunRepoRepairVerb},
    {"job list", RunJobListVerb},
    {"job show", RunJobShowVerb},
    {"job cancel", RunJobCancelVerb},
    {"plugin list", RunPluginListVerb},
    {"plugin info", RunPluginInfoVerb},
    {"plugin run", RunPluginRunVerb},
    {"plugin check", RunPluginCheckVerb},
    {"demo", RunDemoVerb},
    {"completion", RunCompletionVerb},
    {"man", RunManVerb},
    {"version", RunVersionVerb},
};

Verb FunctionOf(const VerbSpec& verb) {
  for (const VerbFunction& row : kVerbs) {
    if (row.path == verb.path) return row.function;
  }
  return nullptr;
}

ConsoleOptions OptionsFor(const Environment& environment, bool json,
                          absl::string_view log_format) {
  const auto set = [&](const char* name) {
    const char* value = environment(name);
    return value != nullptr && *value != '\0';
  };
  const char* term = environment("TERM");
  ConsoleOptions options;
  options.json = json;
  options.json_log = log_format == "json";
  options.terminal = isatty(STDERR_FILENO) == 1 && term != nullptr &&
                     absl::string_view(term) != "dumb";
  options.result_terminal = isatty(STDOUT_FILENO) == 1;
  options.color = options.terminal && !set("NO_COLOR");
  return options;
}

int Number(ExitCode code) { return static_cast<int>(code); }

// A reader that is gone ends us as it ends any other filter.
int FlushedCode(Console& console, int code) {
  const absl::Status flushed = console.Flush();
  if (flushed.ok()) return code;
  if (flushed.code() == absl::StatusCode::kUnavailable) {
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  console.Error(flushed);
  return Number(ExitCode::kFailed);
}

int ReportUsage(const absl::Status& status,
                const std::vector<std::string>& words,
                const Environment& environment) {
  const bool json = WantsJson(words, environment);
  Console console(OptionsFor(environment, json, ""), Clock::Real());
  if (json) console.ResultJson(ErrorJson(status, absl::nullopt));
  console.Error(status);
  return FlushedCode(console, Number(ExitCode::kUsage));
}

int PrintHelp(const Command& command, const Environment& environment) {
  Console console(OptionsFor(environment, false, ""), Clock::Real());
  console.Result(command.verb == nullptr ? OverallHelp()
                                         : VerbHelp(*command.verb));
  return FlushedCode(console, 0);
}

absl::Status CheckLogFormat(const Command& command) {
  const std::string format = command.Get("log-format");
  if (format.empty() || format == "logfmt" || format == "json") {
    return absl::OkStatus();
  }
  return WithHint(
      MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                absl::StrCat("--log-format ", format, " is unknown")),
      "logfmt or json");
}

int CodeOf(const Outcome& outcome) {
  if (outcome.status.ok()) return Number(outcome.code);
  const ExitCode code = ExitCodeOf(outcome.status);
  if (code == ExitCode::kInterrupted && Interrupt::signal() == SIGTERM) {
    return Number(ExitCode::kTerminated);
  }
  return Number(code);
}

// Threads of a source that did not return may still run: nothing of theirs is
// to be taken away under them.
bool MayHaveAbandoned(const absl::Status& status) {
  const std::string word = ErrorCodeOf(status);
  return word == kCancelled || word == kDeadlineExceeded ||
         word == kSourceUnresponsive;
}

int RunVerb(const Command& command, const Environment& environment) {
  Console console(
      OptionsFor(environment, command.Has("json"), command.Get("log-format")),
      Clock::Real());
  auto [context, cancel] = Context::WithCancel(Context::Background());
  const absl::StatusOr<std::unique_ptr<Interrupt>> interrupt =
      Interrupt::Start(cancel);
  Session session(command, environment, &console, context, cancel);
  const Outcome outcome = interrupt.ok() ? FunctionOf(*command.verb)(session)
                                         : Outcome(interrupt.status());
  if (!outcome.status.ok()) {
    if (console.json()) {
      console.ResultJson(ErrorJson(outcome.status, outcome.job));
    }
    console.Error(outcome.status);
  }
  const int code = FlushedCode(console, CodeOf(outcome));
  if (MayHaveAbandoned(outcome.status)) _exit(code);
  return code;
}

}  // namespace

int RunApp(const std::vector<std::string>& words,
           const Environment& environment) {
  signal(SIGPIPE, SIG_IGN);  // a lost terminal must not end a backup
  signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of the write
  const absl::StatusOr<Command> command = Parse(words, environment);
  if (!command.ok()) return ReportUsage(command.status(), words, environment);
  if (command->help) return PrintHelp(*command, environment);
  const absl::Status format = CheckLogFormat(*command);
  if (!format.ok()) return ReportUsage(format, words, environment);
  return RunVerb(*command, environment);
}

}  // namespace sluice::cli
