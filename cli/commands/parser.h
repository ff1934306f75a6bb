#ifndef SLUICE_CLI_COMMANDS_PARSER_H_
#define SLUICE_CLI_COMMANDS_PARSER_H_

// From words to a command: argv and the environment against the table.
//
//   SLUICE_ASSIGN_OR_RETURN(Command command, Parse(words, getenv));
//   if (command.help) ... else command.verb->path == "backup"
//
// A flag on the command line wins over its variable, a variable over the
// default. Pure; any thread.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/cli/commands/command_table.h"

namespace sluice::cli {

// A variable's value, or null.
using Environment = std::function<const char*(const char* name)>;

struct Command {
  const VerbSpec* verb = nullptr;  // null: help on the whole command
  bool help = false;
  std::vector<std::string> arguments;
  // Values as given, by flag name; switches that are on as "1", those that may
  // be off as "true" or "false". An empty value is refused where the flag has a
  // use for none, an empty variable counts as none.
  std::map<std::string, std::string> flags;
  // Those of `flags` that no word says, but a variable.
  std::set<std::string> from_environment;
  // All values of those that may be repeated; `flags` has the last one.
  std::map<std::string, std::vector<std::string>> lists;

  bool Has(absl::string_view flag) const;
  // Whether a word says it, and not only a variable.
  bool IsTyped(absl::string_view flag) const;
  // Empty where it was not given.
  std::string Get(absl::string_view flag) const;
  // Of one that may be repeated.
  std::vector<std::string> GetAll(absl::string_view flag) const;
  // The flag, or an error that names it and its variable.
  absl::StatusOr<std::string> Require(absl::string_view flag) const;
  // Infinite where it was not given.
  absl::StatusOr<absl::Duration> GetDuration(absl::string_view flag) const;
  absl::StatusOr<uint64_t> GetCount(absl::string_view flag,
                                    uint64_t fallback) const;
};

// `words` is argv without the program's name. Errors are invalid_argument, with
// a hint ("did you mean restore?").
absl::StatusOr<Command> Parse(const std::vector<std::string>& words,
                              const Environment& environment);

// Does the caller want JSON, however wrong the rest may be?
bool WantsJson(const std::vector<std::string>& words,
               const Environment& environment);

// The candidate that `word` most likely was meant to be; empty where none is
// near.
std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& candidates);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_COMMANDS_PARSER_H_
