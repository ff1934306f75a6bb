// plugin list, plugin info, plugin run, plugin check.

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/text.h"
#include "sluice/cli/verbs.h"
#include "sluice/plugins/host/uri.h"
#include "sluice/plugins/sdk/conformance/conformance.h"

namespace sluice::cli {
namespace {

absl::string_view TypeName(uint32_t type) {
  switch (type) {
    case SLUICE_OPTION_INTEGER:
      return "integer";
    case SLUICE_OPTION_BOOLEAN:
      return "boolean";
    case SLUICE_OPTION_PATH:
      return "path";
    case SLUICE_OPTION_DURATION:
      return "duration";
    default:
      return "string";
  }
}

Json OptionJson(const OptionSpec& option) {
  return {{"name", option.name},
          {"type", std::string(TypeName(option.type))},
          {"required", option.required},
          {"secret", option.secret},
          {"default", option.fallback},
          {"help", option.help}};
}

Json FactoryJson(const FactoryInfo& factory) {
  Json options = Json::array();
  for (const OptionSpec& option : factory.options) {
    options.push_back(OptionJson(option));
  }
  return {{"role", factory.role},
          {"kind", factory.kind},
          {"help", factory.help},
          {"plugin", factory.plugin_name},
          {"version", factory.plugin_version},
          {"license", factory.plugin_license},
          {"abi", factory.abi_version},
          {"path", factory.path},
          {"options", options}};
}

std::string InfoText(const FactoryInfo& factory) {
  std::string text = absl::StrCat(
      factory.kind, " (", factory.role, ")\n  ",
      absl::StrJoin(absl::StrSplit(factory.help, '\n'), "\n  "), "\n  plugin ",
      factory.plugin_name, " ", factory.plugin_version, ", ",
      factory.plugin_license, ", ABI ", factory.abi_version, "\n  ",
      factory.path.empty() ? "linked in" : factory.path, "\n");
  Table table({"OPTION", "TYPE", "DEFAULT", "HELP"});
  for (const OptionSpec& option : factory.options) {
    std::string help = option.help;
    if (option.required) absl::StrAppend(&help, " (required)");
    if (option.secret) absl::StrAppend(&help, " (secret)");
    table.Add({option.name, std::string(TypeName(option.type)), option.fallback,
               help});
  }
  return absl::StrCat(text, table.Text());
}

// Loads what lies in the plugin folder. A file that cannot be loaded is said,
// and does not hide the others.
absl::StatusOr<PluginHost*> LoadAll(Session& session, Outcome& outcome) {
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  for (const std::string& path : host->FindPluginFiles()) {
    const absl::Status loaded = host->Load(path);
    if (loaded.ok()) continue;
    session.console().Error(loaded);
    outcome.code = ExitCode::kPluginUnusable;
  }
  return host;
}

std::string AbsolutePath(const std::string& path) {
  if (!path.empty() && path.front() == '/') return path;
  std::string folder(4096, '\0');
  if (getcwd(folder.data(), folder.size()) == nullptr) return path;
  folder.resize(folder.find('\0'));
  return absl::StrCat(folder, "/", path);
}

// A folder, for people; a URI, for those whose archives lie elsewhere.
absl::StatusOr<std::string> ArchivesUri(const std::string& archives) {
  if (archives.empty() || LooksLikeUri(archives)) return archives;
  Uri uri;
  uri.kind = "local";
  uri.options = {{"path", AbsolutePath(archives)}};
  return FormatUri(uri);
}

// A source is checked by bringing its backups back: half of the words would
// check nothing.
absl::Status CheckNamedTogether(const Command& command) {
  const bool source = command.Has("source");
  for (const char* flag : {"target", "archives"}) {
    if (command.Has(flag) == source) continue;
    return WithHint(
        MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                  absl::StrCat("--source goes with --", flag)),
        "a source takes --source, --target and --archives; a place --place");
  }
  return absl::OkStatus();
}

absl::string_view OutcomeWord(CheckResult::Outcome outcome) {
  switch (outcome) {
    case CheckResult::Outcome::kPassed:
      return "passed";
    case CheckResult::Outcome::kSkipped:
      return "skipped";
    case CheckResult::Outcome::kFailed:
      break;
  }
  return "failed";
}

Json CheckJson(const CheckResult& result) {
  return {{"check", result.name},
          {"outcome", std::string(OutcomeWord(result.outcome))},
          {"detail", Printable(result.detail)}};
}

std::string CheckLine(const CheckResult& result) {
  const std::string detail =
      result.detail.empty() ? ""
                            : absl::StrCat(" (", Printable(result.detail), ")");
  return absl::StrCat(OutcomeWord(result.outcome), "  ", result.name, detail,
                      "\n");
}

absl::Status NoSuchKind(PluginHost& host, const std::string& kind) {
  std::vector<std::string> kinds = {"list", "info", "run", "check"};
  for (const FactoryInfo& factory : host.factories()) {
    kinds.push_back(factory.kind);
  }
  const std::string meant = DidYouMean(kind, kinds);
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kPluginUnusable,
                absl::StrCat("no plugin of kind \"", kind, "\"")),
      meant.empty() ? std::string("`sluice plugin list` shows those there are")
                    : absl::StrCat("did you mean ", meant, "?"));
}

// What a plugin prints is its own; as JSON it must be that, a value a line.
absl::Status PrintJsonLines(Console& console, absl::string_view text) {
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
    if (json.is_discarded()) {
      return MakeError(absl::StatusCode::kInternal, kPluginUnusable,
                       "the plugin's verb printed what is no JSON");
    }
    console.ResultJson(json);
  }
  return absl::OkStatus();
}

}  // namespace

Outcome RunPluginListVerb(Session& session) {
  Outcome outcome;
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, LoadAll(session, outcome));
  Table table({"ROLE", "KIND", "VERSION", "HELP"});
  for (const FactoryInfo& factory : host->factories()) {
    if (session.console().json()) {
      session.console().ResultJson(FactoryJson(factory));
    }
    table.Add({factory.role, factory.kind, factory.plugin_version,
               factory.help.substr(0, factory.help.find('\n'))});
  }
  if (!session.console().json()) session.console().Result(table.Text());
  return outcome;
}

Outcome RunPluginInfoVerb(Session& session) {
  const std::string& kind = session.command().arguments.front();
  Outcome outcome;
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, LoadAll(session, outcome));
  std::vector<std::string> kinds;
  bool found = false;
  for (const FactoryInfo& factory : host->factories()) {
    kinds.push_back(factory.kind);
    if (factory.kind != kind) continue;
    found = true;
    if (session.console().json()) {
      session.console().ResultJson(FactoryJson(factory));
    } else {
      session.console().Result(InfoText(factory));
    }
  }
  if (found) return {};
  return NoSuchKind(*host, kind);
}

Outcome RunPluginRunVerb(Session& session) {
  std::vector<std::string> words = session.command().arguments;
  const std::string kind = words[0];
  const std::string name = words[1];
  words.erase(words.begin(), words.begin() + 2);
  Console& console = session.console();
  if (console.json()) words.push_back("--json");
  SLUICE_RETURN_IF_ERROR(session.StartTimeout());
  Outcome outcome;
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, LoadAll(session, outcome));
  const std::vector<FactoryInfo> factories = host->factories();
  if (std::none_of(
          factories.begin(), factories.end(),
          [&](const FactoryInfo& factory) { return factory.kind == kind; })) {
    return NoSuchKind(*host, kind);
  }
  std::string printed;
  const absl::Status status = host->RunCommand(
      session.context(), kind, name, words, [&](absl::string_view bytes) {
        if (console.json()) {
          absl::StrAppend(&printed, bytes);
        } else {
          console.Result(bytes);
        }
        return absl::OkStatus();
      });
  SLUICE_RETURN_IF_ERROR(PrintJsonLines(console, printed));
  // With its result on stdout an error is told on stderr alone.
  if (status.ok() || printed.empty()) return status;
  console.Note(
      absl::StrCat("error: ", Printable(std::string(status.message()))));
  outcome.code = ExitCodeOf(status);
  return outcome;
}

Outcome RunPluginCheckVerb(Session& session) {
  const Command& command = session.command();
  ConformanceOptions options;
  options.plugin_file = AbsolutePath(command.arguments.front());
  options.source = command.Get("source");
  options.target = command.Get("target");
  options.restored = command.Get("restored");
  options.empty_source = command.Get("empty-source");
  options.warning_source = command.Get("warning-source");
  options.place = command.Get("place");
  SLUICE_ASSIGN_OR_RETURN(options.archives,
                          ArchivesUri(command.Get("archives")));
  SLUICE_RETURN_IF_ERROR(CheckNamedTogether(command));
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  absl::Status flushed;
  const CheckSummary summary = RunConformance(
      *host, Clock::Real(), options, [&](const CheckResult& result) {
        if (session.console().json()) {
          session.console().ResultJson(CheckJson(result));
        } else {
          session.console().Result(CheckLine(result));
        }
        // At once: the next check may be the one that the plugin dies in.
        if (flushed.ok()) flushed = session.console().Flush();
      });
  SLUICE_RETURN_IF_ERROR(flushed);
  session.console().Note(absl::StrCat(summary.passed, " passed, ",
                                      summary.failed, " failed, ",
                                      summary.skipped, " skipped"));
  Outcome outcome;
  if (summary.failed > 0) outcome.code = ExitCode::kPluginUnusable;
  return outcome;
}

}  // namespace sluice::cli
