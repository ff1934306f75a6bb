#include "sluice/cli/commands/parser.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

constexpr absl::string_view kSeeHelp = "`sluice --help` lists the verbs";

std::string HelpHint(absl::string_view path) {
  return absl::StrCat("`sluice ", path, path.empty() ? "" : " ",
                      "--help` explains it");
}

// "--store $STORE" without a STORE must not mean any store.
absl::Status EmptyValue(absl::string_view flag) {
  return InvalidArgument(absl::StrCat("--", flag, " is empty"),
                         "give it a value, or leave it out");
}

// The words people try in every command: -h, --version, help VERB.
std::vector<std::string> AsUsual(std::vector<std::string> words) {
  std::replace(words.begin(), words.end(), std::string("-h"),
               std::string("--help"));
  if (words.empty()) return words;
  if (words.front() == "--version" || words.front() == "-V") {
    words.front() = "version";
  } else if (words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

// Whether any verb has a use for an empty value of the flag.
bool MayBeEmpty(absl::string_view name) {
  for (const VerbSpec& verb : Verbs()) {
    for (const FlagSpec& flag : verb.flags) {
      if (flag.name == name && flag.may_be_empty) return true;
    }
  }
  return false;
}

// CLI11 would take the next word for the value of "--flag=". Where that can be
// meant it becomes two words.
absl::StatusOr<std::vector<std::string>> WithEmptyValues(
    const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& word : words) {
    absl::string_view name = word;
    if (!absl::ConsumePrefix(&name, "--") || !absl::ConsumeSuffix(&name, "=") ||
        absl::StrContains(name, '=')) {
      out.push_back(word);
      continue;
    }
    if (!MayBeEmpty(name)) return EmptyValue(name);
    out.push_back(absl::StrCat("--", name));
    out.emplace_back();
  }
  return out;
}

// Where CLI11 puts what it finds.
struct Slots {
  struct Taken {
    const FlagSpec* flag;
    const CLI::Option* option;
  };
  std::map<std::string, std::string> values;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, bool> switches;
  std::vector<Taken> options;  // of values and lists
};

void AddFlag(CLI::App& app, const FlagSpec& flag, Slots& slots) {
  const std::string name(flag.name);
  const std::string option = absl::StrCat("--", name);
  if (flag.is_switch() && !flag.may_be_off) {
    app.add_flag(option, slots.switches[name]);
    return;
  }
  CLI::Option* added = nullptr;
  if (flag.is_switch()) {
    added = app.add_flag(option, slots.values[name]);
  } else if (flag.repeated) {
    added = app.add_option(option, slots.lists[name])->allow_extra_args(false);
  } else {
    added = app.add_option(option, slots.values[name]);
  }
  slots.options.push_back({&flag, added});
}

// One CLI::App for the command and one for each verb. Words that CLI11 does not
// know are left over, and judged by us, who can say what was meant.
class Parser {
 public:
  // Knows the verbs whose first word is among `words`: to know all of them
  // costs some milliseconds.
  explicit Parser(const std::vector<std::string>& words) {
    Prepare(app_, "");
    for (const FlagSpec& flag : GlobalFlags()) AddFlag(app_, flag, slots_);
    for (const VerbSpec& verb : Verbs()) {
      const std::string first(verb.path.substr(0, verb.path.find(' ')));
      if (std::find(words.begin(), words.end(), first) != words.end()) {
        AddVerb(verb);
      }
    }
  }

  absl::Status Run(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    // CLI11 reports by exceptions; they end here.
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      return InvalidArgument(error.what(), HelpHint(Path()));
    }
    for (const Slots::Taken& taken : slots_.options) {
      const FlagSpec& flag = *taken.flag;
      if (taken.option->count() == 0 || flag.may_be_empty) continue;
      const std::string name(flag.name);
      const std::vector<std::string>& list = slots_.lists[name];
      if (flag.repeated ? std::find(list.begin(), list.end(), "") != list.end()
                        : slots_.values[name].empty()) {
        return EmptyValue(name);
      }
    }
    return absl::OkStatus();
  }

  // "backup", "repo", "repo add", or empty.
  std::string Path() const {
    std::vector<std::string> names;
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) {
      app = app->get_subcommands().front();
      names.push_back(app->get_name());
    }
    return absl::StrJoin(names, " ");
  }

  // Words that no flag and no verb took, in order.
  std::vector<std::string> Leftover() const { return app_.remaining(true); }

  Slots& slots() { return slots_; }

 private:
  static void Prepare(CLI::App& app, const std::string& name) {
    app.name(name);
    app.set_help_flag();
    app.allow_extras();
    app.require_subcommand(0, 1);
  }

  void AddVerb(const VerbSpec& verb) {
    CLI::App* parent = &app_;
    const std::vector<std::string> names = absl::StrSplit(verb.path, ' ');
    std::string path;
    for (const std::string& name : names) {
      absl::StrAppend(&path, name, " ");
      CLI::App*& child = verbs_[path];
      if (child == nullptr) {
        child = parent->add_subcommand(name);
        Prepare(*child, name);
        for (const FlagSpec& flag : GlobalFlags()) {
          AddFlag(*child, flag, slots_);
        }
      }
      parent = child;
    }
    for (const FlagSpec& flag : verb.flags) AddFlag(*parent, flag, slots_);
  }

  CLI::App app_;
  std::map<std::string, CLI::App*> verbs_;  // "repo add "
  Slots slots_;
};

std::vector<std::string> VerbNames(absl::string_view group) {
  std::vector<std::string> names;
  for (const VerbSpec& verb : Verbs()) {
    absl::string_view path = verb.path;
    if (!group.empty()) {
      if (!absl::StartsWith(path, absl::StrCat(group, " "))) continue;
      path.remove_prefix(group.size() + 1);
    }
    const std::string name(path.substr(0, path.find(' ')));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

absl::Status UnknownFlag(const VerbSpec* verb, absl::string_view word) {
  const absl::string_view typed = word.substr(0, word.find('='));
  std::vector<std::string> candidates;
  for (const FlagSpec& flag : GlobalFlags()) {
    candidates.push_back(absl::StrCat("--", flag.name));
  }
  if (verb != nullptr) {
    for (const FlagSpec& flag : verb->flags) {
      candidates.push_back(absl::StrCat("--", flag.name));
    }
  }
  const std::string path(verb == nullptr ? "" : verb->path);
  const std::string meant = DidYouMean(typed, candidates);
  return InvalidArgument(
      absl::StrCat("unknown flag ", typed,
                   path.empty() ? "" : absl::StrCat(" of sluice ", path)),
      meant.empty() ? HelpHint(path)
                    : absl::StrCat("did you mean ", meant, "?"));
}

absl::Status UnknownVerb(const std::string& group,
                         const std::vector<std::string>& words) {
  if (words.empty()) {
    return InvalidArgument(
        group.empty() ? "a verb is missing"
                      : absl::StrCat("sluice ", group, " needs one of: ",
                                     absl::StrJoin(VerbNames(group), ", ")),
        kSeeHelp);
  }
  const std::string meant = DidYouMean(words.front(), VerbNames(group));
  return InvalidArgument(
      absl::StrCat("unknown verb \"", group, group.empty() ? "" : " ",
                   words.front(), "\""),
      meant.empty() ? std::string(kSeeHelp)
                    : absl::StrCat("did you mean ", meant, "?"));
}

absl::Status CheckArguments(const Command& command) {
  const VerbSpec& verb = *command.verb;
  size_t required = 0;
  bool repeated = false;
  for (const ArgumentSpec& argument : verb.arguments) {
    if (argument.required) ++required;
    repeated |= argument.repeated;
  }
  const std::string hint = absl::StrCat("usage: ", Usage(verb));
  if (command.arguments.size() < required) {
    return InvalidArgument(
        absl::StrCat("sluice ", verb.path, " needs ",
                     verb.arguments[command.arguments.size()].name),
        hint);
  }
  if (!repeated && command.arguments.size() > verb.arguments.size()) {
    return InvalidArgument(
        absl::StrCat("unexpected word \"",
                     command.arguments[verb.arguments.size()], "\""),
        hint);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SwitchFromText(absl::string_view name,
                                    absl::string_view text) {
  bool value = false;
  if (text.empty()) return false;
  if (absl::SimpleAtob(text, &value)) return value;
  return InvalidArgument(absl::StrCat(name, "=", text, " is not a boolean"),
                         "use 1 or 0");
}

absl::Status ApplyEnvironment(const FlagSpec& flag,
                              const Environment& environment,
                              Command& command) {
  if (flag.name == "help" || !flag.has_twin || command.Has(flag.name)) {
    return absl::OkStatus();
  }
  const std::string variable = EnvironmentTwin(flag.name);
  const char* value = environment(variable.c_str());
  if (value == nullptr || *value == '\0') return absl::OkStatus();
  if (!flag.is_switch()) {
    command.from_environment.emplace(flag.name);
    command.flags[std::string(flag.name)] = value;
    if (flag.repeated) command.lists[std::string(flag.name)] = {value};
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const bool on, SwitchFromText(variable, value));
  if (!on) return absl::OkStatus();
  command.from_environment.emplace(flag.name);
  command.flags[std::string(flag.name)] = "1";
  return absl::OkStatus();
}

void TakeFlags(Slots& slots, Command& command) {
  for (const Slots::Taken& taken : slots.options) {
    if (taken.option->count() == 0) continue;
    const std::string name(taken.flag->name);
    if (taken.flag->repeated) {
      command.lists[name] = slots.lists[name];
      command.flags[name] = slots.lists[name].back();
    } else {
      command.flags[name] = slots.values[name];
    }
  }
  for (const auto& [name, on] : slots.switches) {
    if (on) command.flags[name] = "1";
  }
}

// The optimal string alignment distance, bounded by the words' lengths.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1,
                                     std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

bool HasTwin(const VerbSpec& verb, absl::string_view name) {
  return std::none_of(verb.flags.begin(), verb.flags.end(),
                      [&](const FlagSpec& flag) {
                        return flag.name == name && !flag.has_twin;
                      });
}

// "plugin KIND VERB" as "plugin run KIND VERB", so that it takes the flags of
// that verb.
std::vector<std::string> WithRun(std::vector<std::string> words) {
  const auto is_word = [&](size_t i) {
    return i < words.size() && !words[i].empty() && words[i].front() != '-';
  };
  if (is_word(0) && words[0] == "plugin" && is_word(1) && is_word(2) &&
      FindVerb(absl::StrCat("plugin ", words[1])) == nullptr) {
    words.insert(words.begin() + 1, "run");
  }
  return words;
}

}  // namespace

bool Command::IsTyped(absl::string_view flag) const {
  return Has(flag) && from_environment.count(std::string(flag)) == 0;
}

bool Command::Has(absl::string_view flag) const {
  return flags.count(std::string(flag)) > 0;
}

std::string Command::Get(absl::string_view flag) const {
  const auto found = flags.find(std::string(flag));
  return found == flags.end() ? "" : found->second;
}

std::vector<std::string> Command::GetAll(absl::string_view flag) const {
  const auto found = lists.find(std::string(flag));
  return found == lists.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<std::string> Command::Require(absl::string_view flag) const {
  if (Has(flag)) return Get(flag);
  return InvalidArgument(
      absl::StrCat("sluice ", verb->path, " needs --", flag),
      HasTwin(*verb, flag)
          ? absl::StrCat("give it, or set ", EnvironmentTwin(flag))
          : absl::StrCat("usage: ", Usage(*verb)));
}

absl::StatusOr<absl::Duration> Command::GetDuration(
    absl::string_view flag) const {
  if (!Has(flag)) return absl::InfiniteDuration();
  absl::Duration duration;
  if (!absl::ParseDuration(Get(flag), &duration) ||
      duration <= absl::ZeroDuration()) {
    return InvalidArgument(
        absl::StrCat("--", flag, " ", Get(flag), " is not a duration"),
        "a number with its unit, as 90s, 45m, 6h");
  }
  return duration;
}

absl::StatusOr<uint64_t> Command::GetCount(absl::string_view flag,
                                           uint64_t fallback) const {
  if (!Has(flag)) return fallback;
  uint64_t count = 0;
  if (!absl::SimpleAtoi(Get(flag), &count) || count == 0) {
    return InvalidArgument(
        absl::StrCat("--", flag, " ", Get(flag), " is not a positive integer"),
        "a whole number from 1 on");
  }
  return count;
}

absl::StatusOr<Command> Parse(const std::vector<std::string>& given,
                              const Environment& environment) {
  const std::vector<std::string> words = WithRun(given);
  // What follows "--" is no flag, whatever it looks like.
  const auto dashes = std::find(words.begin(), words.end(), "--");
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> ours,
                          WithEmptyValues(AsUsual({words.begin(), dashes})));
  Parser parser(ours);
  SLUICE_RETURN_IF_ERROR(parser.Run(ours));

  Command command;
  TakeFlags(parser.slots(), command);
  command.help = command.Has("help");
  const std::string path = parser.Path();
  command.verb = FindVerb(path);
  for (const std::string& word : parser.Leftover()) {
    if (word.size() > 1 && word.front() == '-') {
      return UnknownFlag(command.verb, word);
    }
    command.arguments.push_back(word);
  }
  if (dashes != words.end()) {
    command.arguments.insert(command.arguments.end(), dashes + 1, words.end());
  }
  // As WithRun, after flags: KIND VERB, where ours would be one word.
  if (command.verb == nullptr && path == "plugin" &&
      command.arguments.size() > 1) {
    command.verb = FindVerb("plugin run");
  }
  if (command.verb == nullptr) {
    if (command.help && command.arguments.empty()) return command;
    return UnknownVerb(path, command.arguments);
  }
  // Only the plugin knows its verb's words.
  if (command.help && command.verb->path == "plugin run" &&
      command.arguments.size() > 1) {
    command.help = false;
    command.flags.erase("help");
    command.arguments.push_back("--help");
  }
  if (command.help) return command;
  SLUICE_RETURN_IF_ERROR(CheckArguments(command));
  for (const FlagSpec& flag : GlobalFlags()) {
    SLUICE_RETURN_IF_ERROR(ApplyEnvironment(flag, environment, command));
  }
  for (const FlagSpec& flag : command.verb->flags) {
    SLUICE_RETURN_IF_ERROR(ApplyEnvironment(flag, environment, command));
  }
  return command;
}

bool WantsJson(const std::vector<std::string>& words,
               const Environment& environment) {
  for (const std::string& word : words) {
    if (word == "--") break;
    if (word == "--json") return true;
  }
  const char* value = environment("SLUICE_JSON");
  return value != nullptr &&
         SwitchFromText("SLUICE_JSON", value).value_or(false);
}

std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace sluice::cli
