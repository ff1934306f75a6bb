#ifndef SLUICE_CLI_COMMANDS_HELP_H_
#define SLUICE_CLI_COMMANDS_HELP_H_

// --help, the man page and the shell completions, all from the table. Pure.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/cli/commands/command_table.h"

namespace sluice::cli {

// Of the whole command.
std::string OverallHelp();
std::string VerbHelp(const VerbSpec& verb);
// troff, for man(1).
std::string ManPage();
// INVALID_ARGUMENT for a shell that is not bash, zsh or fish.
absl::StatusOr<std::string> CompletionScript(absl::string_view shell);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_COMMANDS_HELP_H_
