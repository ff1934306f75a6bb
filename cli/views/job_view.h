#ifndef SLUICE_CLI_VIEWS_JOB_VIEW_H_
#define SLUICE_CLI_VIEWS_JOB_VIEW_H_

// Jobs as they are printed, and what is said to narrow a list of them; the same
// whether they were read from the catalog or from a server.
//
// Any thread; nothing blocks.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/cli/commands/parser.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {

using NamesById = std::map<std::string, std::string>;

// The name; the id of what has none, or is there no more.
std::string NameOrId(const NamesById& names, const std::string& id);

struct JobWords {
  uint64_t limit = 0;
  BackupJob::Status status = BackupJob::STATUS_UNSPECIFIED;  // any
  BackupJob::Kind kind = BackupJob::KIND_UNSPECIFIED;
};
// --limit, --status, --kind.
absl::StatusOr<JobWords> JobWordsOf(const Command& command);

// In the order that they are in. `repos`: their names.
void PrintJobs(Console& console, const std::vector<CatalogJob>& jobs,
               const NamesById& repos, absl::Time now);
void PrintJob(Console& console, const CatalogJob& job);
// One that was asked to end, as it is now.
void PrintCancelled(Console& console, const BackupJob& job);

// How a job that did not succeed would have ended its own command.
absl::Status ErrorOfJob(const BackupJob& job);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VIEWS_JOB_VIEW_H_
