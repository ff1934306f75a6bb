#ifndef SLUICE_CLI_VERBS_ARCHIVES_H_
#define SLUICE_CLI_VERBS_ARCHIVES_H_

// The archives of a repo with what the catalog knows of them.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/verbs/archive_choice.h"
#include "sluice/cli/verbs/session.h"
#include "sluice/destinations/archive/protocol/repo.h"

namespace sluice::cli {

// Oldest first, also those that are damaged or cannot be read. The repo is the
// truth; the catalog only adds: where it cannot be used, a note says so, and
// reading goes on without records. For writing that is an error.
absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(
    Session& session, const OpenedRepo& repo, RepoUse use = RepoUse::kRead);

// The one that a person means, by this machine's clock. What should be known of
// the choice is said on the console.
absl::StatusOr<ArchiveRow> Choose(Session& session,
                                  const std::vector<ArchiveRow>& archives,
                                  ArchiveWish wish);

// Says which recorded backup of the repo is from the future: a clock has
// jumped, and what is made now may not be told as the latest.
absl::Status NameTheFuture(Session& session, const OpenedRepo& repo);

// The catalog's records of the repo that are not among `archives`; none where
// the catalog cannot be used.
absl::StatusOr<std::vector<BackupRecord>> RecordsWithoutArchive(
    Session& session, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives);

// What the words of --json say of one: {"id", "damaged", "manifest", "record"}.
Json ToJson(const ArchiveRow& row);

// Marks the archive as damaged in the catalog, or as sound again. An archive
// that the catalog does not have yet gets a record first where it is damaged.
// Where the catalog cannot be used, a note says so. Whether it is recorded now.
bool RecordDamage(Session& session, const OpenedRepo& repo,
                  const ArchiveRow& row, bool damaged);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_ARCHIVES_H_
