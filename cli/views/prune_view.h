#ifndef SLUICE_CLI_VIEWS_PRUNE_VIEW_H_
#define SLUICE_CLI_VIEWS_PRUNE_VIEW_H_

// What retention decided of a plan's archives in a repo, as it is printed. Any
// thread; nothing blocks.

#include <string>

#include "absl/strings/string_view.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/service/work/prune.h"

namespace sluice::cli {

// One group of `report`; `repo` as people call it. Warns where nothing is
// removed at all.
void PrintPruned(Console& console, const std::string& repo_id,
                 absl::string_view repo, const service::PrunedGroup& group,
                 const service::PruneReport& report, bool dry_run);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VIEWS_PRUNE_VIEW_H_
