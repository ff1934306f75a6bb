#include "sluice/service/work/verify.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/archives.h"

namespace sluice::service {

absl::Status VerifyChain(const Context& context, Catalog& catalog,
                         const OpenedRepo& repo,
                         const std::vector<ArchiveRow>& archives,
                         absl::string_view id, std::set<std::string>* whole) {
  const auto row =
      std::find_if(archives.begin(), archives.end(),
                   [&](const ArchiveRow& other) { return other.id == id; });
  if (row == archives.end()) {
    return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                     absl::StrCat("the repo holds no archive ", id));
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> chain,
                          ChainOf(archives, *row));
  std::set<std::string> read;
  if (whole == nullptr) whole = &read;
  for (const ArchiveRow& link : chain) {
    if (whole->count(link.id) > 0) continue;
    const absl::StatusOr<Manifest> manifest =
        repo.destination->Verify(context, link.id, nullptr);
    const bool damaged = ErrorCodeOf(manifest.status()) == kArchiveDamaged;
    if (manifest.ok() || damaged) {
      SLUICE_RETURN_IF_ERROR(SetDamaged(context, catalog, repo, link, damaged));
    }
    SLUICE_RETURN_IF_ERROR(
        Annotate(manifest.status(), absl::StrCat("archive ", link.id)));
    whole->insert(link.id);
  }
  return NoteVerified(context, catalog, chain, *whole, Clock::Real()->Now());
}

absl::Status NoteVerified(const Context& context, Catalog& catalog,
                          const std::vector<ArchiveRow>& archives,
                          const std::set<std::string>& whole, absl::Time at) {
  for (const ArchiveRow& row : archives) {
    if (whole.count(row.id) == 0) continue;
    const auto chain = ChainOf(archives, row);
    if (!chain.ok() ||
        !std::all_of(chain->begin(), chain->end(), [&](const ArchiveRow& r) {
          return whole.count(r.id) > 0;
        })) {
      continue;
    }
    const absl::Status noted =
        catalog.SetVerified(context, row.id, BackupRecord::AUTHENTIC, at);
    if (!noted.ok() && ErrorCodeOf(noted) != kRecordNotFound) return noted;
  }
  return absl::OkStatus();
}

}  // namespace sluice::service
