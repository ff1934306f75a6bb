#ifndef SLUICE_SERVICE_ARCHIVES_H_
#define SLUICE_SERVICE_ARCHIVES_H_

// The archives of a repo with what the catalog knows of them. The repo is the
// truth, the catalog only adds.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const auto records,
//                           RecordsOf(context, catalog, repo));
//   SLUICE_ASSIGN_OR_RETURN(const auto archives,
//                           LoadArchives(context, repo, records));
//   SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row,
//                           ChooseArchive(archives, {"latest", "orders"}));
//
// Any thread; what reads repo or catalog blocks, and passes their errors on.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/archive_choice.h"
#include "sluice/service/opened_repo.h"

namespace sluice::service {

// In the order of their recording.
absl::StatusOr<std::vector<BackupRecord>> RecordsOf(const Context& context,
                                                    Catalog& catalog,
                                                    const OpenedRepo& repo);

// Ascending by id, also those that are damaged or cannot be read. `records` as
// RecordsOf has them; none where there is no catalog.
absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(
    const Context& context, const OpenedRepo& repo,
    const std::vector<BackupRecord>& records);

// Those of `records` that are of none of `archives`.
std::vector<BackupRecord> RecordsWithoutArchive(
    std::vector<BackupRecord> records, const std::vector<ArchiveRow>& archives);

// The newest of `records` where it is from the future, by `now`; else empty: a
// clock has jumped, and what is made now may not be taken for the latest.
std::string RecordFromTheFuture(const std::vector<BackupRecord>& records,
                                absl::Time now);

// Marks the archive as damaged in the catalog, or as sound again. One that the
// catalog does not have yet gets a record first, where it is damaged and its
// manifest can be read; else nothing is kept.
absl::Status SetDamaged(const Context& context, Catalog& catalog,
                        const OpenedRepo& repo, const ArchiveRow& row,
                        bool damaged);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ARCHIVES_H_
