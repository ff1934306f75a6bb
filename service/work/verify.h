#ifndef SLUICE_SERVICE_WORK_VERIFY_H_
#define SLUICE_SERVICE_WORK_VERIFY_H_

// Reads archives again, and keeps in the catalog what was found.

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/archive_choice.h"
#include "sluice/service/opened_repo.h"

namespace sluice::service {

// Reads every byte of archive `id` and of all that it builds on. Damage is
// recorded for the one that has it; where all are whole, `id` counts as
// verified. Blocks for the place; any thread. Errors: archive_not_found,
// archive_damaged, what kept us from reading, and the catalog's. What is in
// `whole` was read just now and is not read again; what is read and found whole
// is added. May be null.
absl::Status VerifyChain(const Context& context, Catalog& catalog,
                         const OpenedRepo& repo,
                         const std::vector<ArchiveRow>& archives,
                         absl::string_view id,
                         std::set<std::string>* whole = nullptr);

// Notes in the catalog that each of `whole`, whose every byte was read and found
// whole at `at`, is verified, if all that it builds on is among them. Those that
// the catalog has no record of are passed over.
absl::Status NoteVerified(const Context& context, Catalog& catalog,
                          const std::vector<ArchiveRow>& archives,
                          const std::set<std::string>& whole, absl::Time at);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_WORK_VERIFY_H_
