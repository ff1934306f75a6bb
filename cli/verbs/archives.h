#ifndef SLUICE_CLI_VERBS_ARCHIVES_H_
#define SLUICE_CLI_VERBS_ARCHIVES_H_

// service/archives.h for a person: on the session's catalog, without one where
// that will do, with what should be known said on the console.

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/cli/session/session.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/service/archive_choice.h"

namespace sluice::cli {

using service::ArchiveRow;
using service::ArchiveWish;

// Oldest first, also those that are damaged or cannot be read. Where the
// catalog cannot be used, a note says so, and reading goes on without records.
// For writing that is an error.
absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(
    Session& session, const OpenedRepo& repo, RepoUse use = RepoUse::kRead);

// The one that a person means, by this machine's clock.
absl::StatusOr<ArchiveRow> Choose(Session& session,
                                  const std::vector<ArchiveRow>& archives,
                                  ArchiveWish wish);

// What there is to say of a choice, as warnings.
void NoteChoice(Session& session, const std::vector<std::string>& notes);

// Says which recorded backup of the repo is from the future: a clock has
// jumped, and what is made now may not be told as the latest.
absl::Status NameTheFuture(Session& session, const OpenedRepo& repo);

// The catalog's records of the repo that are not among `archives`; none where
// the catalog cannot be used.
absl::StatusOr<std::vector<BackupRecord>> RecordsWithoutArchive(
    Session& session, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives);

// Marks the archive as damaged in the catalog, or as sound again: see
// service::SetDamaged. Where the catalog cannot be used, a note says so.
// Whether it is recorded now.
bool RecordDamage(Session& session, const OpenedRepo& repo,
                  const ArchiveRow& row, bool damaged);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_ARCHIVES_H_
