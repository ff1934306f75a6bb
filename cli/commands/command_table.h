#ifndef SLUICE_CLI_COMMANDS_COMMAND_TABLE_H_
#define SLUICE_CLI_COMMANDS_COMMAND_TABLE_H_

// The one table of what the command understands. The parser, --help, the man
// page and the shell completions are all made from it, and a test holds them
// together.
//
// Constant; any thread.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sluice::cli {

// What a shell offers for a value.
enum class Completion {
  kNone,
  kFile,
  kShell,
  kLogFormat,
  kRepo,     // the catalog's names
  kArchive,  // the ids of the repo that --repo names
  kJob,      // the catalog's jobs
  kPlan,     // the catalog's plans
};

struct FlagSpec {
  absl::string_view name;   // without "--"
  absl::string_view value;  // placeholder, as "NAME|URI"; empty: on or off
  absl::string_view help;
  absl::string_view fallback = "";  // shown as the default
  Completion completion = Completion::kNone;
  bool repeated = false;      // any number of times
  bool may_be_empty = false;  // an empty value takes back what was said
  bool may_be_off = false;    // of a switch: --NAME=false is an answer too
  bool has_twin = true;       // in the environment

  bool is_switch() const { return value.empty(); }
};

struct ArgumentSpec {
  absl::string_view name;  // "SOURCE"
  absl::string_view help;
  bool required = true;
  bool repeated = false;  // one or more, the last argument only
  Completion completion = Completion::kNone;
};

struct VerbSpec {
  absl::string_view path;  // "backup", "repo add"
  absl::string_view summary;
  absl::string_view details;  // paragraphs, may be empty
  std::vector<ArgumentSpec> arguments;
  std::vector<FlagSpec> flags;
  absl::string_view example;  // a line without "sluice "
};

// In the order of the help.
const std::vector<VerbSpec>& Verbs();
// Those that every verb takes.
const std::vector<FlagSpec>& GlobalFlags();
// Null where there is none.
const VerbSpec* FindVerb(absl::string_view path);

// The variable that stands for a flag: "--plugin-dir" is SLUICE_PLUGIN_DIR.
std::string EnvironmentTwin(absl::string_view flag);

// The flag that says a field of a plan (plan_fields.h): "keep_daily" is
// "keep-daily". A plan's timeout is "run-timeout", as --timeout is the verb's.
absl::string_view PlanFlagName(absl::string_view field);

// "sluice backup SOURCE --repo NAME|URI [FLAGS]": how a verb is typed.
std::string Usage(const VerbSpec& verb);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_COMMANDS_COMMAND_TABLE_H_
