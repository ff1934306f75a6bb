#include "sluice/cli/commands/help.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/version.h"
#include "sluice/cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

constexpr absl::string_view kTagline =
    "backs up one store consistently, and verifies that it can be restored";
constexpr size_t kWidth = 79;
constexpr size_t kColumn = 26;

// `text` in lines of at most kWidth, each after `indent` spaces.
std::string Wrapped(absl::string_view text, size_t indent) {
  std::string out;
  std::string line;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kWidth) {
      absl::StrAppend(&out, std::string(indent, ' '), line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  if (!line.empty()) {
    absl::StrAppend(&out, std::string(indent, ' '), line, "\n");
  }
  return out;
}

// "  left        right, wrapped".
std::string Row(absl::string_view left, absl::string_view right) {
  std::string row = absl::StrCat("  ", left);
  std::string text = Wrapped(right, kColumn);
  if (row.size() + 1 < kColumn && !text.empty()) {
    row.resize(kColumn, ' ');
    return row + text.substr(kColumn);
  }
  return absl::StrCat(row, "\n", text);
}

std::string FlagName(const FlagSpec& flag) {
  if (flag.may_be_off) return absl::StrCat("--", flag.name, "[=false]");
  return absl::StrCat("--", flag.name, flag.is_switch() ? "" : " ", flag.value);
}

std::string FlagText(const FlagSpec& flag) {
  if (flag.fallback.empty()) return std::string(flag.help);
  return absl::StrCat(flag.help, " (default: ", flag.fallback, ")");
}

std::string FlagRows(const std::vector<FlagSpec>& flags) {
  std::string rows;
  for (const FlagSpec& flag : flags) {
    absl::StrAppend(&rows, Row(FlagName(flag), FlagText(flag)));
  }
  return rows;
}

std::string Escaped(absl::string_view text) {  // for troff
  return absl::StrReplaceAll(
      text, {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {".", "\\&."}});
}

std::string ManFlags(const std::vector<FlagSpec>& flags) {
  std::string out;
  for (const FlagSpec& flag : flags) {
    absl::StrAppend(&out, ".TP\n\\fB", Escaped(absl::StrCat("--", flag.name)),
                    "\\fR ", Escaped(flag.value), "\n", Escaped(FlagText(flag)),
                    "\n");
  }
  return out;
}

std::vector<std::pair<absl::string_view, absl::string_view>> Files() {
  return {
      {"$XDG_STATE_HOME/sluice/catalog.db",
       "the catalog of jobs, records and repos, else below "
       "~/.local/state; with it its log, -wal and -shm, and a reserve for a "
       "full disk"},
      {"plugins/ beside the executable", "the kinds of stores and places"},
      {"sluice-repo.json", "in a place: this is a repo"},
      {"$TMPDIR", "what is spooled while a backup runs, else /tmp"},
  };
}

std::string ManVerb(const VerbSpec& verb) {
  std::string out = absl::StrCat(".SS \"", Escaped(verb.path), "\"\n.nf\n",
                                 Escaped(Usage(verb)), "\n.fi\n.PP\n",
                                 Escaped(verb.summary), ".\n");
  if (!verb.details.empty()) {
    absl::StrAppend(&out, Escaped(verb.details), "\n");
  }
  for (const ArgumentSpec& argument : verb.arguments) {
    absl::StrAppend(&out, ".TP\n", Escaped(argument.name), "\n",
                    Escaped(argument.help), "\n");
  }
  return out + ManFlags(verb.flags);
}

// --- completions

std::string FirstWord(absl::string_view path) {
  return std::string(path.substr(0, path.find(' ')));
}

std::vector<std::string> TopWords() {
  std::vector<std::string> words;
  for (const VerbSpec& verb : Verbs()) {
    const std::string word = FirstWord(verb.path);
    if (words.empty() || words.back() != word) words.push_back(word);
  }
  return words;
}

std::vector<std::string> SecondWords(absl::string_view first) {
  std::vector<std::string> words;
  for (const VerbSpec& verb : Verbs()) {
    if (absl::StartsWith(verb.path, absl::StrCat(first, " "))) {
      words.emplace_back(verb.path.substr(first.size() + 1));
    }
  }
  return words;
}

std::vector<FlagSpec> AllFlags(const VerbSpec& verb) {
  std::vector<FlagSpec> flags = verb.flags;
  flags.insert(flags.end(), GlobalFlags().begin(), GlobalFlags().end());
  return flags;
}

std::string FlagWords(const VerbSpec& verb) {
  return absl::StrJoin(AllFlags(verb), " ",
                       [](std::string* out, const FlagSpec& flag) {
                         absl::StrAppend(out, "--", flag.name);
                       });
}

absl::string_view Choices(Completion completion) {
  switch (completion) {
    case Completion::kShell:
      return "bash zsh fish";
    case Completion::kLogFormat:
      return "logfmt json";
    case Completion::kNone:
    case Completion::kFile:
    case Completion::kRepo:
    case Completion::kArchive:
    case Completion::kJob:
    case Completion::kPlan:
      break;
  }
  return "";
}

// What the command itself is asked for, in a shell's words; empty: nothing.
absl::string_view ListingOf(Completion completion) {
  switch (completion) {
    case Completion::kRepo:
      return "repo list";
    case Completion::kArchive:
      return "list --repo \"$repo\"";
    case Completion::kJob:
      return "job list";
    case Completion::kPlan:
      return "plan list";
    default:
      return "";
  }
}

Completion ArgumentCompletion(const VerbSpec& verb) {
  return verb.arguments.empty() ? Completion::kNone
                                : verb.arguments.front().completion;
}

std::string BashCase(const VerbSpec& verb) {
  const Completion completion = ArgumentCompletion(verb);
  const absl::string_view listing = ListingOf(completion);
  return absl::StrCat(
      "    '", verb.path, "') words='", FlagWords(verb),
      absl::StrCat(" ", Choices(completion)), "'",
      completion == Completion::kFile ? " files=1" : "",
      listing.empty()
          ? ""
          : absl::StrCat("; words+=\" $(_sluice_column ", listing, ")\""),
      " ;;\n");
}

std::string BashScript() {
  std::string script = R"sh(# bash completion for sluice
_sluice_column() {
  "${COMP_WORDS[0]}" "$@" 2>/dev/null | awk 'NR > 1 { print $1 }'
}
_sluice() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local verb='' word words='' files='' repo=${SLUICE_REPO-} i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [ "${COMP_WORDS[i]}" = --repo ] && repo=${COMP_WORDS[i+1]}
  done
  case $prev in
    --repo) COMPREPLY=($(compgen -W "$(_sluice_column repo list)" -- "$cur"))
       return ;;
    --plan) COMPREPLY=($(compgen -W "$(_sluice_column plan list)" -- "$cur"))
       return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      *) case $verb in
)sh";
  for (const std::string& first : TopWords()) {
    if (SecondWords(first).empty()) continue;
    absl::StrAppend(&script, "           ", first,
                    ") verb=\"$verb $word\" ;;\n");
  }
  absl::StrAppend(&script,
                  "           '') verb=$word ;;\n         esac ;;\n"
                  "    esac\n  done\n  case $prev in\n");
  for (const FlagSpec& flag : GlobalFlags()) {
    if (flag.completion == Completion::kFile) {
      absl::StrAppend(&script, "    --", flag.name,
                      ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n");
    } else if (!Choices(flag.completion).empty()) {
      absl::StrAppend(&script, "    --", flag.name,
                      ") COMPREPLY=($(compgen -W '", Choices(flag.completion),
                      "' -- \"$cur\")); return ;;\n");
    }
  }
  absl::StrAppend(&script, "  esac\n  case $verb in\n    '') words='",
                  absl::StrJoin(TopWords(), " "), "' ;;\n");
  for (const std::string& first : TopWords()) {
    const auto second = SecondWords(first);
    if (second.empty()) continue;
    absl::StrAppend(&script, "    ", first, ") words='",
                    absl::StrJoin(second, " "), "' ;;\n");
  }
  for (const VerbSpec& verb : Verbs()) absl::StrAppend(&script, BashCase(verb));
  absl::StrAppend(&script, R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ -n "$files" ]; then COMPREPLY+=($(compgen -f -- "$cur")); fi
}
complete -o default -F _sluice sluice
)");
  return script;
}

std::string Quoted(absl::string_view text) {  // for a shell's '...'
  return absl::StrReplaceAll(text, {{"'", "'\\''"}});
}

std::string ZshScript() {
  std::string script =
      "#compdef sluice\n# zsh completion for sluice\n"
      "_sluice_column() {\n"
      "  sluice \"$@\" 2>/dev/null | awk 'NR > 1 { print $1 }'\n}\n"
      "_sluice() {\n"
      "  local verb=\"$words[2]\" repo=\"$SLUICE_REPO\" i\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    [[ $words[i] == --repo ]] && repo=\"$words[i+1]\"\n  done\n"
      "  if [[ $words[CURRENT-1] == --repo ]]; then\n"
      "    compadd -- $(_sluice_column repo list)\n    return\n  fi\n"
      "  if [[ $words[CURRENT-1] == --plan ]]; then\n"
      "    compadd -- $(_sluice_column plan list)\n    return\n  fi\n"
      "  if (( CURRENT == 2 )); then\n    _values verb";
  for (const VerbSpec& verb : Verbs()) {
    if (absl::StrContains(verb.path, " ")) continue;
    absl::StrAppend(&script, " \\\n      '", verb.path, "[",
                    Quoted(verb.summary), "]'");
  }
  for (const std::string& first : TopWords()) {
    const auto second = SecondWords(first);
    if (!second.empty()) {
      absl::StrAppend(&script, " \\\n      '", first, "[",
                      absl::StrJoin(second, ", "), "]'");
    }
  }
  absl::StrAppend(&script, "\n    return\n  fi\n");
  for (const std::string& first : TopWords()) {
    const auto second = SecondWords(first);
    if (second.empty()) continue;
    absl::StrAppend(&script, "  if [[ $verb == ", first,
                    " ]]; then\n    if (( CURRENT == 3 )); then\n"
                    "      _values verb ",
                    absl::StrJoin(second, " "),
                    "\n      return\n    fi\n    verb=\"$verb $words[3]\"\n"
                    "  fi\n");
  }
  absl::StrAppend(&script, "  case $verb in\n");
  for (const VerbSpec& verb : Verbs()) {
    const absl::string_view listing = ListingOf(ArgumentCompletion(verb));
    absl::StrAppend(
        &script, "    '", verb.path, "') compadd -- ", FlagWords(verb), " ",
        Choices(ArgumentCompletion(verb)),
        listing.empty() ? "" : absl::StrCat(" $(_sluice_column ", listing, ")"),
        " ;;\n");
  }
  absl::StrAppend(&script, "  esac\n  _files\n}\n_sluice \"$@\"\n");
  return script;
}

std::string FishScript() {
  std::string script = "# fish completion for sluice\n";
  for (const VerbSpec& verb : Verbs()) {
    const std::string first = FirstWord(verb.path);
    const bool nested = first != verb.path;
    const std::string condition =
        nested ? absl::StrCat("__fish_seen_subcommand_from ", first)
               : std::string("__fish_use_subcommand");
    const std::string word =
        nested ? std::string(verb.path.substr(first.size() + 1)) : first;
    absl::StrAppend(&script, "complete -c sluice -n '", condition, "' -a '",
                    word, "' -d '", Quoted(verb.summary), "'\n");
    for (const FlagSpec& flag : verb.flags) {
      absl::StrAppend(&script, "complete -c sluice -n '",
                      "__fish_seen_subcommand_from ", word, "' -l ", flag.name,
                      flag.is_switch() ? "" : " -r",
                      flag.completion == Completion::kRepo
                          ? " -a '(sluice repo list 2>/dev/null | awk "
                            "\"NR > 1 { print \\$1 }\")'"
                          : "",
                      " -d '", Quoted(flag.help), "'\n");
    }
    const absl::string_view choices = Choices(ArgumentCompletion(verb));
    if (!choices.empty()) {
      absl::StrAppend(&script, "complete -c sluice -n '",
                      "__fish_seen_subcommand_from ", word, "' -a '", choices,
                      "'\n");
    }
  }
  for (const std::string& first : TopWords()) {
    if (SecondWords(first).empty()) continue;
    absl::StrAppend(&script,
                    "complete -c sluice -n '__fish_use_subcommand' -a '", first,
                    "'\n");
  }
  for (const FlagSpec& flag : GlobalFlags()) {
    absl::StrAppend(&script, "complete -c sluice -l ", flag.name,
                    flag.is_switch() ? "" : " -r", " -d '", Quoted(flag.help),
                    "'\n");
  }
  return script;
}

}  // namespace

std::string OverallHelp() {
  std::string help =
      absl::StrCat("sluice ", kTagline, "\n\nusage: sluice VERB ",
                   "[ARGUMENTS] [FLAGS]\n\nverbs:\n");
  for (const VerbSpec& verb : Verbs()) {
    absl::StrAppend(&help, Row(verb.path, verb.summary));
  }
  absl::StrAppend(&help, "\nflags of every verb:\n", FlagRows(GlobalFlags()),
                  "\nEach flag has a twin in the environment, as SLUICE_REPO "
                  "for --repo, but those\nthat say what a plan is or what a "
                  "list shows.\n\nexit status:\n");
  for (const ExitCodeSpec& code : ExitCodes()) {
    absl::StrAppend(
        &help, Row(absl::StrCat(static_cast<int>(code.code)), code.meaning));
  }
  absl::StrAppend(&help, "\n`sluice help VERB` explains a verb; ",
                  "`sluice demo` shows it at work.\n");
  return help;
}

std::string VerbHelp(const VerbSpec& verb) {
  std::string help = absl::StrCat("sluice ", verb.path, ": ", verb.summary,
                                  "\n\nusage:\n", Wrapped(Usage(verb), 2));
  if (!verb.details.empty()) {
    absl::StrAppend(&help, "\n", Wrapped(verb.details, 0));
  }
  if (!verb.arguments.empty()) absl::StrAppend(&help, "\n");
  for (const ArgumentSpec& argument : verb.arguments) {
    absl::StrAppend(&help, Row(argument.name, argument.help));
  }
  if (!verb.flags.empty()) {
    absl::StrAppend(&help, "\nflags:\n", FlagRows(verb.flags));
  }
  absl::StrAppend(&help, "\nflags of every verb:\n", FlagRows(GlobalFlags()),
                  "\nexample:\n  sluice ", verb.example, "\n");
  return help;
}

std::string ManPage() {
  std::string page = absl::StrCat(
      ".TH SLUICE 1 \"\" \"sluice ", kVersion, "\" \"User Commands\"\n",
      ".SH NAME\nsluice \\- ", Escaped(kTagline),
      "\n.SH SYNOPSIS\n.B sluice\nVERB [ARGUMENTS] [FLAGS]\n.SH VERBS\n");
  for (const VerbSpec& verb : Verbs()) absl::StrAppend(&page, ManVerb(verb));
  absl::StrAppend(&page, ".SH FLAGS OF EVERY VERB\n", ManFlags(GlobalFlags()),
                  ".SH ENVIRONMENT\n");
  absl::StrAppend(
      &page,
      "Each flag has a twin, which it wins over: SLUICE_ and its "
      "name in upper case, with _ for \\-, as SLUICE_PLUGIN_DIR; but "
      "not those that say what a plan is or what a list shows.\n"
      ".SH EXIT STATUS\n");
  for (const ExitCodeSpec& code : ExitCodes()) {
    absl::StrAppend(&page, ".TP\n", static_cast<int>(code.code), "\n",
                    Escaped(code.meaning), "\n");
  }
  absl::StrAppend(&page, ".SH FILES\n");
  for (const auto& [file, meaning] : Files()) {
    absl::StrAppend(&page, ".TP\n", Escaped(file), "\n", Escaped(meaning),
                    "\n");
  }
  absl::StrAppend(&page, ".SH EXAMPLES\n");
  for (const VerbSpec& verb : Verbs()) {
    absl::StrAppend(&page, ".TP\n.B ",
                    Escaped(absl::StrCat("sluice ", verb.example)), "\n",
                    Escaped(verb.summary), ".\n");
  }
  return page;
}

absl::StatusOr<std::string> CompletionScript(absl::string_view shell) {
  if (shell == "bash") return BashScript();
  if (shell == "zsh") return ZshScript();
  if (shell == "fish") return FishScript();
  return InvalidArgument(
      absl::StrCat("no completion for shell \"", shell, "\""),
      "bash, zsh or fish");
}

}  // namespace sluice::cli
