#include "sluice/service/archives.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/reconcile.h"

namespace sluice::service {

absl::StatusOr<std::vector<BackupRecord>> RecordsOf(const Context& context,
                                                    Catalog& catalog,
                                                    const OpenedRepo& repo) {
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  filter.in_order_of_recording = true;
  return catalog.ListRecords(context, filter);
}

absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(
    const Context& context, const OpenedRepo& repo,
    const std::vector<BackupRecord>& records) {
  SLUICE_ASSIGN_OR_RETURN(auto entries, repo.destination->ListAll(context));
  // By id: the record, and its place in the order of recording.
  std::map<std::string, std::pair<const BackupRecord*, size_t>> by_id;
  for (const BackupRecord& record : records) {
    const size_t place = by_id.size();
    by_id[record.id()] = {&record, place};
  }

  std::vector<ArchiveRow> rows;
  for (auto& entry : entries) {
    ArchiveRow row;
    row.id = entry.backup_id;
    row.manifest = std::move(entry.manifest);
    const auto known = by_id.find(row.id);
    if (known != by_id.end()) {
      row.record = *known->second.first;
      row.recorded_as = known->second.second;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<BackupRecord> RecordsWithoutArchive(
    std::vector<BackupRecord> records,
    const std::vector<ArchiveRow>& archives) {
  std::set<std::string> there;
  for (const ArchiveRow& row : archives) there.insert(row.id);
  records.erase(std::remove_if(records.begin(), records.end(),
                               [&](const BackupRecord& record) {
                                 return there.count(record.id()) > 0;
                               }),
                records.end());
  return records;
}

std::string RecordFromTheFuture(const std::vector<BackupRecord>& records,
                                absl::Time now) {
  ArchiveRow latest;
  for (const BackupRecord& record : records) {
    latest.id = std::max(latest.id, record.id());
  }
  return latest.is_from_the_future(now) ? latest.id : "";
}

absl::Status SetDamaged(const Context& context, Catalog& catalog,
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

}  // namespace sluice::service
