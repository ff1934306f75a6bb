#ifndef SLUICE_CLI_VERBS_RUN_WORDS_H_
#define SLUICE_CLI_VERBS_RUN_WORDS_H_

// What is said of a backup or a restore, wherever it is done.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/cli/commands/parser.h"
#include "sluice/service/archive_choice.h"

namespace sluice::cli {

// What a plan says already, and what cannot be left to another process.
absl::Status CheckBackupWords(const Command& command);

// What --to names, with what --accept-mismatch asks of it.
absl::StatusOr<std::string> TargetUri(const Command& command);

// The guard of a restore: which store's archives are meant. `target_id`: the id
// that the target has; empty where it has none, or nobody looked.
absl::StatusOr<service::ArchiveWish> RestoreWishOf(
    const Command& command, const std::string& target_id);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_RUN_WORDS_H_
