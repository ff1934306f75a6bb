#ifndef SLUICE_CLI_KEEP_SETTINGS_H_
#define SLUICE_CLI_KEEP_SETTINGS_H_

// What a verb has changed of plans, pins and repos is told to the repos.

#include "sluice/cli/session/session.h"

namespace sluice::cli {

// Nothing where nothing changed, or where a `sluice serve` does it. A repo that
// is away is told by a service, or by a later verb that changes something or
// works in a repo; that costs the verb nothing but a
// line in the log. True where a repo does not answer: a thread still waits for
// it, and the process must end by _exit.
bool KeepSettings(Session& session);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_KEEP_SETTINGS_H_
