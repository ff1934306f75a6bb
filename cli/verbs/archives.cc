#include "sluice/cli/verbs/archives.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/reconcile.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/executor/ulid.h"

namespace sluice::cli {
namespace {

absl::StatusOr<std::vector<BackupRecord>> RecordsOf(Session& session,
                                                    const OpenedRepo& repo,
                                                    RepoUse use) {
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  filter.in_order_of_recording = true;
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

absl::StatusOr<ArchiveRow> Choose(Session& session,
                                  const std::vector<ArchiveRow>& archives,
                                  ArchiveWish wish) {
  wish.now = Clock::Real()->Now();
  std::vector<std::string> notes;
  absl::StatusOr<ArchiveRow> row = ChooseArchive(archives, wish, &notes);
  for (const std::string& note : notes) {
    session.console().Note(absl::StrCat("warning: ", Printable(note)));
  }
  return row;
}

absl::Status NameTheFuture(Session& session, const OpenedRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          catalog->ListRecords(session.context(), filter));
  ArchiveRow latest;
  for (const BackupRecord& record : records) {
    latest.id = std::max(latest.id, record.id());
  }
  if (!latest.is_from_the_future(Clock::Real()->Now())) return absl::OkStatus();
  session.console().Note(absl::StrCat("warning: archive ", latest.id,
                                      " says that it was made at ",
                                      FormatTimestamp(TimeOfUlid(latest.id)),
                                      ", which is in the future: a clock was "
                                      "ahead then, or this one is behind"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BackupRecord>> RecordsWithoutArchive(
    Session& session, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<BackupRecord> records,
                          RecordsOf(session, repo, RepoUse::kRead));
  std::set<std::string> there;
  for (const ArchiveRow& row : archives) there.insert(row.id);
  records.erase(std::remove_if(records.begin(), records.end(),
                               [&](const BackupRecord& record) {
                                 return there.count(record.id()) > 0;
                               }),
                records.end());
  return records;
}

Json ToJson(const ArchiveRow& row) {
  return {{"id", row.id},
          {"damaged", row.damaged()},
          {"manifest", row.manifest.ok() ? ToJson(*row.manifest) : Json()},
          {"record", ToJson(row.record)}};
}

bool RecordDamage(Session& session, const OpenedRepo& repo,
                  const ArchiveRow& row, bool damaged) {
  Catalog* const catalog = session.CatalogIfUsable();
  if (catalog == nullptr) return false;
  const absl::Status status = StoreDamage(
      Context::WithTimeout(session.context(), Clock::Real(), kCatalogPatience)
          .first,
      *catalog, repo, row, damaged);
  if (!status.ok()) session.NoteCatalogUnusable(status);
  return status.ok() && (row.record.has_value() || row.manifest.ok());
}

}  // namespace sluice::cli
