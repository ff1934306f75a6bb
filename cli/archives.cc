#include "sluice/cli/archives.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/reconcile.h"

namespace sluice::cli {
namespace {

absl::StatusOr<std::vector<BackupRecord>> RecordsOf(Session& session,
                                                    const OpenedRepo& repo,
                                                    RepoUse use) {
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  if (use == RepoUse::kWrite) {
    SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
    return catalog->ListRecords(session.context(), filter);
  }
  Catalog* const catalog = session.CatalogIfUsable();
  if (catalog == nullptr) return std::vector<BackupRecord>();
  auto records = catalog->ListRecords(
      Context::WithTimeout(session.context(), Clock::Real(), kCatalogPatience)
          .first,
      filter);
  if (records.ok()) return records;
  session.NoteCatalogUnusable(records.status());
  return std::vector<BackupRecord>();
}

absl::Status StoreDamage(const Context& context, Catalog& catalog,
                         const OpenedRepo& repo, const ArchiveRow& row,
                         bool damaged) {
  if (!row.record.has_value()) {
    if (!damaged || !row.manifest.ok()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(catalog.CreateBackupRecord(
        context, RecordOf(*row.manifest, repo.row, Clock::Real()->Now())));
  } else if (row.record->damaged() == damaged) {
    return absl::OkStatus();
  }
  return catalog.SetDamaged(context, row.id, damaged);
}

}  // namespace

absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(Session& session,
                                                     const OpenedRepo& repo,
                                                     RepoUse use) {
  SLUICE_ASSIGN_OR_RETURN(auto entries,
                          repo.destination->ListAll(session.context()));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          RecordsOf(session, repo, use));
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

void RecordDamage(Session& session, const OpenedRepo& repo,
                  const ArchiveRow& row, bool damaged) {
  Catalog* const catalog = session.CatalogIfUsable();
  if (catalog == nullptr) return;
  const absl::Status status = StoreDamage(
      Context::WithTimeout(session.context(), Clock::Real(), kCatalogPatience)
          .first,
      *catalog, repo, row, damaged);
  if (!status.ok()) session.NoteCatalogUnusable(status);
}

}  // namespace sluice::cli
