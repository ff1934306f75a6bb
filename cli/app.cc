#include "sluice/cli/app.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/child_process.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/commands/help.h"
#include "sluice/cli/keep_settings.h"
#include "sluice/cli/remote/attention.h"
#include "sluice/cli/remote/remote.h"
#include "sluice/cli/serve/serve_settings.h"
#include "sluice/cli/session/session.h"
#include "sluice/cli/supervisor.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/cli/terminal/interrupt.h"
#include "sluice/cli/verbs/verbs.h"

namespace sluice::cli {
namespace {

using Verb = Outcome (*)(Session&);

struct VerbFunction {
  absl::string_view path;
  Verb function;
  // It only prints: no plugin, no file, nothing to wait for.
  bool prints_only = false;
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
    {"repo edit", RunRepoEditVerb},
    {"repo remove", RunRepoRemoveVerb},
    {"repo rename", RunRepoRenameVerb},
    {"repo move", RunRepoMoveVerb},
    {"repo repair", RunRepoRepairVerb},
    {"job list", RunJobListVerb},
    {"job show", RunJobShowVerb},
    {"job wait", RunJobWaitVerb},
    {"job cancel", RunJobCancelVerb},
    {"plan add", RunPlanAddVerb},
    {"plan edit", RunPlanEditVerb},
    {"plan apply", RunPlanApplyVerb},
    {"plan list", RunPlanListVerb},
    {"plan show", RunPlanShowVerb},
    {"plan pause", RunPlanPauseVerb},
    {"plan resume", RunPlanResumeVerb},
    {"plan remove", RunPlanRemoveVerb},
    {"plan run", RunPlanRunVerb},
    {"plan next", RunPlanNextVerb},
    {"prune", RunPruneVerb},
    {"pin", RunPinVerb},
    {"unpin", RunUnpinVerb},
    {"serve", RunServeVerb},
    {"token create", RunTokenCreateVerb},
    {"token list", RunTokenListVerb},
    {"notify list", RunNotifyListVerb},
    {"notify retry", RunNotifyRetryVerb},
    {"notify test", RunNotifyTestVerb},
    {"token revoke", RunTokenRevokeVerb},
    {"export", RunExportVerb},
    {"import", RunImportVerb},
    {"plugin list", RunPluginListVerb},
    {"plugin info", RunPluginInfoVerb},
    {"plugin run", RunPluginRunVerb},
    {"plugin check", RunPluginCheckVerb},
    {"demo", RunDemoVerb},
    {"completion", RunCompletionVerb, true},
    {"man", RunManVerb, true},
    {"version", RunVersionVerb, true},
};

const VerbFunction& FunctionOf(const VerbSpec& verb) {
  return *std::find_if(
      std::begin(kVerbs), std::end(kVerbs),
      [&](const VerbFunction& row) { return row.path == verb.path; });
}

ConsoleOptions OptionsFor(const Environment& environment, bool json,
                          absl::string_view log_format, bool quiet = false) {
  const auto set = [&](const char* name) {
    const char* value = environment(name);
    return value != nullptr && *value != '\0';
  };
  const char* term = environment("TERM");
  ConsoleOptions options;
  options.json = json;
  options.quiet = quiet;
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
  return InvalidArgument(absl::StrCat("--log-format ", format, " is unknown"),
                         "logfmt or json");
}

int CodeOf(const Outcome& outcome) {
  if (outcome.status.ok()) return Number(outcome.code);
  const ExitCode code = ExitCodeOf(outcome.status);
  if (code == ExitCode::kInterrupted && Interrupt::signal() != 0) {
    return 128 + Interrupt::signal();
  }
  return Number(code);
}

// Leaves an error in the console; the exit status.
int Conclude(const Outcome& outcome, Console& console) {
  if (!outcome.status.ok()) {
    if (console.json()) {
      console.ResultJson(ErrorJson(outcome.status, outcome.job));
    }
    console.Error(outcome.status);
  }
  return CodeOf(outcome);
}

// Runs the verb, and leaves its result, or its error, in the console.
// `ready`: whether all that it needs to be ended by others is there.
int RunVerb(const Command& command, const absl::Status& ready, Session& session,
            bool& abandoned) {
  const Outcome outcome =
      ready.ok() ? FunctionOf(*command.verb).function(session) : Outcome(ready);
  const int code = Conclude(outcome, session.console());
  abandoned = KeepSettings(session) || outcome.abandoned;
  return code;
}

Context WithTimeout(Context context, Context::CancelFunction& cancel,
                    absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return context;
  std::pair<Context, Context::CancelFunction> limited =
      Context::WithTimeout(context, Clock::Real(), timeout);
  cancel = std::move(limited.second);
  return std::move(limited.first);
}

// The verb in the process that the supervisor started for it. The last word is
// what this returns: after all of the run was taken down.
int RunInside(const Command& command, const Environment& environment,
              const SupervisorOptions& options, ChildLink& link) {
  char kind = kOutputMessage;
  ConsoleOptions console_options = options.console;
  console_options.result_sink = [&](absl::string_view bytes) {
    if (!bytes.empty()) link.Send(kind, bytes);
    return absl::OkStatus();
  };
  Console console(console_options, Clock::Real());
  auto [context, cancel] = Context::WithCancel(Context::Background());
  const absl::StatusOr<std::unique_ptr<Interrupt>> interrupt =
      Interrupt::Start(cancel, link.descriptor(), options.grace);
  context = WithTimeout(std::move(context), cancel, options.timeout);
  const Context::Registration told =
      context.OnDone([&link](const absl::Status& cause) {
        link.SendNow(kEndingMessage, EncodeCause(cause));
      });
  int code = 0;
  bool abandoned = false;
  {
    Session session(command, environment, &console, context, cancel);
    code = RunVerb(command, interrupt.status(), session, abandoned);
    kind = kResultMessage;
    console.Flush().IgnoreError();
    if (abandoned) {
      link.SayLastWord(code);
      _exit(code);
    }
  }
  return code;
}

int RunHere(const Command& command, const Environment& environment,
            const SupervisorOptions& options) {
  Console console(options.console, Clock::Real());
  auto [context, cancel] = Context::WithCancel(Context::Background());
  Session session(command, environment, &console, context, cancel);
  bool abandoned = false;
  const int code = RunVerb(command, absl::OkStatus(), session, abandoned);
  return FlushedCode(console, code);
}

// The verb through a server: no plugin is loaded and no place is read, so that
// there is nothing to supervise.
int RunRemotely(const Command& command, const Environment& environment,
                const SupervisorOptions& options) {
  Console console(options.console, Clock::Real());
  const auto run = [&]() -> absl::StatusOr<Outcome> {
    SLUICE_ASSIGN_OR_RETURN(const ApiClient api, OpenServer(command));
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Attention> attention,
                            Attention::Start(Clock::Real(), options.timeout));
    Session session(command, environment, &console, Context::Background(),
                    [](const absl::Status&) {});
    Remote remote{session, api, *attention};
    return RunRemoteVerb(remote);
  };
  const absl::StatusOr<Outcome> ran = run();
  const int code = Conclude(ran.ok() ? *ran : Outcome(ran.status()), console);
  return FlushedCode(console, code);
}

absl::StatusOr<SupervisorOptions> OptionsOf(const Command& command,
                                            const Environment& environment) {
  SLUICE_RETURN_IF_ERROR(CheckLogFormat(command));
  SupervisorOptions options;
  options.console = OptionsFor(environment, command.Has("json"),
                               command.Get("log-format"), command.Has("quiet"));
  if (command.Has("grace")) {
    SLUICE_ASSIGN_OR_RETURN(options.grace, command.GetDuration("grace"));
  }
  if (command.verb->path == "serve") {
    // No limit to how long it runs; and what it takes to drain is no lateness.
    SLUICE_ASSIGN_OR_RETURN(const ServeSettings settings,
                            ServeSettingsOf(command, environment));
    options.grace += settings.drain;
    // From a terminal that is gone it is the end, as for every verb.
    options.hangup_goes_on =
        isatty(STDIN_FILENO) != 1 && isatty(STDERR_FILENO) != 1;
  } else {
    SLUICE_ASSIGN_OR_RETURN(options.timeout, command.GetDuration("timeout"));
  }
  options.catalog_path =
      CatalogPath(command.Get("catalog"), environment).value_or("");
  return options;
}

}  // namespace

int RunApp(const std::vector<std::string>& words,
           const Environment& environment) {
  signal(SIGPIPE, SIG_IGN);  // a lost terminal must not end a backup
  signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of the write
  const absl::StatusOr<Command> command = Parse(words, environment);
  if (!command.ok()) return ReportUsage(command.status(), words, environment);
  if (command->help) return PrintHelp(*command, environment);
  const absl::StatusOr<SupervisorOptions> options =
      OptionsOf(*command, environment);
  if (!options.ok()) return ReportUsage(options.status(), words, environment);
  const absl::StatusOr<bool> remote = WorksThroughServer(*command);
  if (!remote.ok()) return ReportUsage(remote.status(), words, environment);
  if (*remote) return RunRemotely(*command, environment, *options);
  if (FunctionOf(*command->verb).prints_only) {
    return RunHere(*command, environment, *options);
  }
  return Supervise(*options, [&](ChildLink& link) {
    return RunInside(*command, environment, *options, link);
  });
}

}  // namespace sluice::cli
