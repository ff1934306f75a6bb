#ifndef SLUICE_CLI_APP_H_
#define SLUICE_CLI_APP_H_

// The command, from its words to its exit status.

#include <string>
#include <vector>

#include "sluice/cli/commands/parser.h"

namespace sluice::cli {

// Runs the command on stdin, stdout and stderr of this process, in a child of
// it where the verb does more than print (supervisor.h). Call it before any
// thread is started, once in a process.
int RunApp(const std::vector<std::string>& words,
           const Environment& environment);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_APP_H_
