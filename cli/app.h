#ifndef SLUICE_CLI_APP_H_
#define SLUICE_CLI_APP_H_

// The command, from its words to its exit status.

#include <string>
#include <vector>

#include "sluice/cli/parser.h"

namespace sluice::cli {

// Runs the command on stdin, stdout and stderr of this process. Does not return
// where something of the run may still be at work (an abandoned source): then
// the process ends here.
int RunApp(const std::vector<std::string>& words,
           const Environment& environment);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_APP_H_
