#ifndef SLUICE_EXECUTOR_RUN_RESTORE_CHAIN_H_
#define SLUICE_EXECUTOR_RUN_RESTORE_CHAIN_H_

// The archives that a restore reads: the one asked for and all that it builds
// on. One set of rules, for the restore and for whoever proves beforehand that
// it would succeed.
//
//   absl::StatusOr<std::vector<Manifest>> chain = ReadRestoreChain(
//       id, [&](const std::string& link) {
//         return destination->GetManifest(context, link);
//       });
//
// Pure but for `read`; any thread.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// Full first, `backup_id` last. `read` gives a proven manifest. archive_damaged
// where a link says that it is another, is of another store than the one asked
// for, or the chain is a circle or longer than kMaxChainLength; else the error
// of `read`, which for a link that is gone is archive_not_found.
absl::StatusOr<std::vector<Manifest>> ReadRestoreChain(
    absl::string_view backup_id,
    const std::function<absl::StatusOr<Manifest>(const std::string&)>& read);

// `status` with the id of the archive that it is about, where it is
// archive_damaged and bears none yet.
absl::Status AboutArchive(absl::Status status, absl::string_view backup_id);
// The id that AboutArchive gave it, or an empty string.
std::string ArchiveOf(const absl::Status& status);

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_RESTORE_CHAIN_H_
