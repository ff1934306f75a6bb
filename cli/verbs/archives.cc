#include "sluice/cli/verbs/archives.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/archives.h"

namespace sluice::cli {
namespace {

Context WithPatience(const Session& session) {
  return Context::WithTimeout(session.context(), Clock::Real(),
                              kCatalogPatience)
      .first;
}

absl::StatusOr<std::vector<BackupRecord>> RecordsOf(Session& session,
                                                    const OpenedRepo& repo,
                                                    RepoUse use) {
  if (use == RepoUse::kWrite) {
    SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
    return service::RecordsOf(session.context(), *catalog, repo);
  }
  Catalog* const catalog = session.CatalogIfUsable();
  if (catalog == nullptr) return std::vector<BackupRecord>();
  auto records = service::RecordsOf(WithPatience(session), *catalog, repo);
  if (records.ok()) return records;
  session.NoteCatalogUnusable(records.status());
  return std::vector<BackupRecord>();
}

}  // namespace

absl::StatusOr<std::vector<ArchiveRow>> LoadArchives(Session& session,
                                                     const OpenedRepo& repo,
                                                     RepoUse use) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          RecordsOf(session, repo, use));
  return service::LoadArchives(session.context(), repo, records);
}

void NoteChoice(Session& session, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    session.console().Note(absl::StrCat("warning: ", Printable(note)));
  }
}

absl::StatusOr<ArchiveRow> Choose(Session& session,
                                  const std::vector<ArchiveRow>& archives,
                                  ArchiveWish wish) {
  wish.now = Clock::Real()->Now();
  std::vector<std::string> notes;
  absl::StatusOr<ArchiveRow> row = ChooseArchive(archives, wish, &notes);
  NoteChoice(session, notes);
  return row;
}

absl::Status NameTheFuture(Session& session, const OpenedRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          RecordsOf(session, repo, RepoUse::kWrite));
  const std::string latest =
      service::RecordFromTheFuture(records, Clock::Real()->Now());
  if (latest.empty()) return absl::OkStatus();
  session.console().Note(absl::StrCat("warning: archive ", latest,
                                      " says that it was made at ",
                                      FormatTimestamp(TimeOfUlid(latest)),
                                      ", which is in the future: a clock was "
                                      "ahead then, or this one is behind"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BackupRecord>> RecordsWithoutArchive(
    Session& session, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<BackupRecord> records,
                          RecordsOf(session, repo, RepoUse::kRead));
  return service::RecordsWithoutArchive(std::move(records), archives);
}

bool RecordDamage(Session& session, const OpenedRepo& repo,
                  const ArchiveRow& row, bool damaged) {
  Catalog* const catalog = session.CatalogIfUsable();
  if (catalog == nullptr) return false;
  const absl::Status status =
      service::SetDamaged(WithPatience(session), *catalog, repo, row, damaged);
  if (!status.ok()) session.NoteCatalogUnusable(status);
  return status.ok() && (row.record.has_value() || row.manifest.ok());
}

}  // namespace sluice::cli
