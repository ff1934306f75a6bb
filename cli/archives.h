#ifndef SLUICE_CLI_ARCHIVES_H_
#define SLUICE_CLI_ARCHIVES_H_

// The archives of a repo with what the catalog knows of them.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/cli/archive_choice.h"
#include "sluice/cli/json.h"
#include "sluice/cli/session.h"
#include "sluice/destinations/archive/repo.h"

namespace sluice::cli {

// Oldest first, also those that are damaged. The repo is the truth; the catalog
// only adds: where it cannot be used, a note says so, and reading goes on
// without records. For writing that is an error.
absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(
    Session& session, const OpenedRepo& repo, RepoUse use = RepoUse::kRead);

// What the words of --json say of one: {"id", "damaged", "manifest", "record"}.
Json ToJson(const ArchiveRow& row);

// Marks the archive as damaged in the catalog, or as sound again. An archive
// that the catalog does not have yet gets a record first where it is damaged.
// Where the catalog cannot be used, a note says so.
void RecordDamage(Session& session, const OpenedRepo& repo,
                  const ArchiveRow& row, bool damaged);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_ARCHIVES_H_
