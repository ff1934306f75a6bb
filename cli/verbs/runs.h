#ifndef SLUICE_CLI_VERBS_RUNS_H_
#define SLUICE_CLI_VERBS_RUNS_H_

// service/runner.h for a person: on the session's catalog, with progress on the
// console. Blocks until the run is over.

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/cli/session/session.h"
#include "sluice/executor/executor.h"

namespace sluice::cli {

// How long a source may take to return once it was cancelled; then the command
// leaves without it. Less than the second within which Ctrl-C is to end a run.
inline constexpr absl::Duration kAbandonAfter = absl::Milliseconds(700);

struct BackupWishes {
  bool allow_empty = false;
  bool read_back = false;  // and say on the console what it cost
};

// `source_uri`: as UriFacts has it. `base`: the archive that an increment
// builds on; null: a full backup.
BackupResult RunBackup(Session& session, const OpenedRepo& repo,
                       const std::shared_ptr<Backupable>& source,
                       absl::string_view source_uri, absl::string_view store_id,
                       const Manifest* base, const BackupWishes& wishes);

// `from_store`: the store whose archive may be restored into a target with
// another id; empty: none.
RestoreResult RunRestore(Session& session, const OpenedRepo& repo,
                         const std::shared_ptr<Backupable>& target,
                         absl::string_view backup_id,
                         absl::string_view from_store);

// Removes what dead runs left in the repo. A failure is a warning.
void SweepBeforeBackup(Session& session, const OpenedRepo& repo);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_RUNS_H_
