#ifndef SLUICE_CLI_COMMANDS_SERVICE_TABLE_H_
#define SLUICE_CLI_COMMANDS_SERVICE_TABLE_H_

// The rows of the command's table that concern what runs by itself. Private to
// command_table.cc.

#include <vector>

#include "sluice/cli/commands/command_table.h"

namespace sluice::cli {

// plan, prune, pin, unpin, serve, token, export, import.
std::vector<VerbSpec> ServiceVerbs();

}  // namespace sluice::cli

#endif  // SLUICE_CLI_COMMANDS_SERVICE_TABLE_H_
