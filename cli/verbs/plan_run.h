#ifndef SLUICE_CLI_VERBS_PLAN_RUN_H_
#define SLUICE_CLI_VERBS_PLAN_RUN_H_

// A plan that a person runs: `plan run`, and `backup --plan`.

#include <string>

#include "sluice/catalog/plan_store.h"
#include "sluice/cli/session/session.h"
#include "sluice/cli/terminal/console.h"

namespace sluice::cli {

// Into each of its repos, or that of --repo: here, or, with --async, by a
// service. Where one repo fails the others get theirs all the same, and the
// first failure is the outcome.
Outcome RunPlanNow(Session& session, const std::string& name);

// The id of a job that was asked for, alone on a line.
void PrintQueued(Console& console, const QueuedRun& run);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_PLAN_RUN_H_
