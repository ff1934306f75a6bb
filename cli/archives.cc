#include "sluice/cli/archives.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/reconcile.h"

namespace sluice::cli {
absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(Session& session,
                                                     const OpenedRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(auto entries,
                          repo.destination->ListAll(session.context()));
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  SLUICE_ASSIGN_OR_RETURN(const auto records,
                          catalog->ListRecords(session.context(), filter));
  std::map<std::string, const BackupRecord*> by_id;
  for (const BackupRecord& record : records) by_id[record.id()] = &record;

  std::vector<ArchiveRow> rows;
  for (auto& entry : entries) {
    ArchiveRow row{entry.backup_id, std::move(entry.manifest), {}};
    const auto known = by_id.find(row.id);
    if (known != by_id.end()) row.record = *known->second;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json ToJson(const ArchiveRow& row) {
  return {{"id", row.id},
          {"damaged", row.damaged()},
          {"manifest", row.manifest.ok() ? ToJson(*row.manifest) : Json()},
          {"record", ToJson(row.record)}};
}

absl::Status RecordDamage(Session& session, const OpenedRepo& repo,
                          const ArchiveRow& row, bool damaged) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  if (!row.record.has_value()) {
    if (!damaged || !row.manifest.ok()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(catalog->CreateBackupRecord(
        session.context(),
        RecordOf(*row.manifest, repo.row, Clock::Real()->Now())));
  } else if (row.record->damaged() == damaged) {
    return absl::OkStatus();
  }
  return catalog->SetDamaged(session.context(), row.id, damaged);
}

}  // namespace sluice::cli
