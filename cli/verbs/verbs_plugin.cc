// plugin list, plugin info, plugin run, plugin check.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/child_process.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/verb_output.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/plugins/conformance/conformance.h"

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

// Only the help may have lines of its own: a name or a licence must not begin
// one.
std::string InfoText(const FactoryInfo& factory) {
  std::string text = absl::StrCat(
      factory.kind, " (", factory.role, ")\n  ",
      absl::StrJoin(absl::StrSplit(factory.help, '\n'), "\n  "), "\n  plugin ",
      Printable(factory.plugin_name), " ", Printable(factory.plugin_version),
      ", ", Printable(factory.plugin_license), ", ABI ", factory.abi_version,
      "\n  ", factory.path.empty() ? "linked in" : Printable(factory.path),
      "\n");
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

// How long the constructors of a plugin may take when all are looked at.
constexpr absl::Duration kLoadLimit = absl::Seconds(30);

// Loads a file in a child first: one that crashes, ends the process or never
// comes back is an error, and the next one is still looked at.
absl::Status LoadTried(PluginHost& host, const std::string& path) {
  const absl::StatusOr<ChildEnd> end = RunInChild(
      {.time_limit = kLoadLimit},
      [&](ChildLink&) {
        host.Load(path).IgnoreError();  // told when we do it ourselves
        return 0;
      },
      [](char, absl::string_view) {});
  SLUICE_RETURN_IF_ERROR(end.status());
  if (end->last_word.has_value()) return host.Load(path);
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition, kPluginUnusable,
                absl::StrCat("plugin ", path,
                             ": it ends the process that loads "
                             "it: ",
                             end->timed_out ? "it took longer than 30 s"
                                            : DescribeEnd(*end))),
      "remove it, or tell the plugin's author");
}

// Loads what lies in the plugin folder. A file that cannot be loaded is said,
// and does not hide the others.
absl::StatusOr<PluginHost*> LoadAll(Session& session, Outcome& outcome) {
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  for (const std::string& path : host->FindPluginFiles()) {
    const absl::Status loaded = LoadTried(*host, path);
    if (loaded.ok()) continue;
    session.console().Error(loaded);
    outcome.code = ExitCode::kPluginUnusable;
  }
  return host;
}

// A folder, for people; a URI, for those whose archives lie elsewhere.
absl::StatusOr<std::string> ArchivesUri(const std::string& archives) {
  if (archives.empty() || absl::StrContains(archives, ':')) return archives;
  SLUICE_ASSIGN_OR_RETURN(const std::string folder, AbsolutePath(archives));
  return PlaceUri(folder);
}

// A source is checked by bringing its backups back: half of the words would
// check nothing.
absl::Status CheckNamedTogether(const Command& command) {
  const bool source = command.Has("source");
  for (const char* flag : {"target", "archives"}) {
    if (command.Has(flag) == source) continue;
    return InvalidArgument(
        absl::StrCat("--source goes with --", flag),
        "a source takes --source, --target and --archives; a place --place");
  }
  return absl::OkStatus();
}

absl::string_view OutcomeWord(CheckResult::Outcome outcome) {
  switch (outcome) {
    case CheckResult::Outcome::kPassed:
      return "passed";
    case CheckResult::Outcome::kNotShown:
      return "not shown";
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

absl::Status NoSuchKind(const std::vector<std::string>& kinds,
                        const std::string& kind) {
  const std::string meant = DidYouMean(kind, kinds);
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kPluginUnusable,
                absl::StrCat("no plugin of kind \"", kind, "\"")),
      meant.empty() ? std::string("`sluice plugin list` shows those there are")
                    : absl::StrCat("did you mean ", meant, "?"));
}

// The kinds that the files in the plugin folder are named for. Loads nothing.
std::vector<std::string> KindsByName(const PluginHost& host) {
  std::vector<std::string> kinds = {"list", "info", "run", "check"};
  for (const std::string& path : host.FindPluginFiles()) {
    absl::string_view name =
        absl::string_view(path).substr(path.rfind('/') + 1);
    absl::ConsumeSuffix(&name, ".so");
    kinds.emplace_back(name.substr(name.rfind('-') + 1));
  }
  return kinds;
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
  std::vector<std::string> kinds = {"list", "info", "run", "check"};
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
  return NoSuchKind(kinds, kind);
}

Outcome RunPluginRunVerb(Session& session) {
  std::vector<std::string> words = session.command().arguments;
  const std::string kind = words[0];
  const std::string name = words[1];
  words.erase(words.begin(), words.begin() + 2);
  Console& console = session.console();
  // Help is text for whoever asks.
  const bool as_json =
      console.json() && (words.empty() || words.back() != "--help");
  if (as_json) words.push_back("--json");
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  VerbOutput output(&console, as_json);
  const absl::Status status = host->RunCommand(
      session.context(), kind, name, words, [&](absl::string_view bytes) {
        return output.Write(session.context(), bytes);
      });
  if (absl::IsNotFound(status) && ErrorCodeOf(status) == kPluginUnusable) {
    return NoSuchKind(KindsByName(*host), kind);
  }
  const absl::Status printed = output.Finish();
  // The last flush tells it, as it ends any other filter.
  if (absl::IsUnavailable(printed)) return {};
  SLUICE_RETURN_IF_ERROR(printed);
  // With its result on stdout an error is told on stderr alone.
  if (status.ok() || !output.printed()) return status;
  Outcome outcome;
  console.Note(
      absl::StrCat("error: ", Printable(std::string(status.message()))));
  outcome.code = ExitCodeOf(status);
  return outcome;
}

Outcome RunPluginCheckVerb(Session& session) {
  const Command& command = session.command();
  ConformanceOptions options;
  SLUICE_ASSIGN_OR_RETURN(options.plugin_file,
                          AbsolutePath(command.arguments.front()));
  options.source = command.Get("source");
  options.target = command.Get("target");
  options.restored = command.Get("restored");
  options.empty_source = command.Get("empty-source");
  options.warning_source = command.Get("warning-source");
  options.place = command.Get("place");
  SLUICE_ASSIGN_OR_RETURN(options.archives,
                          ArchivesUri(command.Get("archives")));
  SLUICE_RETURN_IF_ERROR(CheckNamedTogether(command));
  if (command.Has("check-timeout")) {
    SLUICE_ASSIGN_OR_RETURN(options.check_time_limit,
                            command.GetDuration("check-timeout"));
  }
  options.in_children = true;
  options.go_on = [&session] { return session.context().status(); };
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
  session.console().Note(absl::StrCat(
      summary.passed, " passed, ", summary.failed, " failed, ",
      summary.not_shown, " not shown, ", summary.skipped, " skipped"));
  SLUICE_RETURN_IF_ERROR(session.context().status());
  Outcome outcome;
  if (summary.not_shown > 0) outcome.code = ExitCode::kWarnings;
  if (summary.failed > 0) outcome.code = ExitCode::kPluginUnusable;
  return outcome;
}

}  // namespace sluice::cli
