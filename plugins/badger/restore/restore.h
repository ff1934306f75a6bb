#ifndef SLUICE_PLUGINS_BADGER_RESTORE_RESTORE_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_RESTORE_H_

// Restores a chain of backup streams into an empty folder.
//
//   RestoreOptions options;
//   SLUICE_ASSIGN_OR_RETURN(
//       const RestoreTotals totals,
//       RestoreDirectory(FileSystem::Posix(), "/srv/db", options, run,
//                        request.payloads()));
//
// The folder is empty or absent (then it is made; its parent must be there),
// and may be a mount point. Two phases:
//
//   1. All streams are read to their end, and a whole directory is written
//      below FOLDER/.sluice-restore, every file synced; scratch files for
//      streams that are not sorted lie there, too. A failure removes it again.
//   2. FOLDER/.sluice-restore/publishing is written, with the names of the
//      files; these are renamed into FOLDER, MANIFEST last, after all others
//      are durable; then .sluice-restore is removed.
//
// Where value logs go to a folder of their own they are staged there, in
// .sluice-restore, and published first. (One that is killed between the two
// leaves logs there that nothing leads to, and the next is refused until they
// are taken away.)
//
// A restore that fails takes away what it made. To Badger the folder is empty
// until MANIFEST is there, and whole from then on. (It must not be opened in
// between: a Badger that finds no MANIFEST deletes all tables.) A failure after
// that takes MANIFEST away first. A restore that was killed leaves
// .sluice-restore; the next one takes away what `publishing` names and
// .sluice-restore itself, and begins anew. It touches nothing else: a folder
// with any other file is not empty, and is refused. That holds, too, for what
// was opened by Badger in the meantime: it has made files of its own.
//
// A chain is the entries of all its streams; of equal keys and versions the
// later stream's entry stays. All versions, tombstones and expiries are kept.
// Streams need no order; sorted ones cost one write of their bytes, others
// twice their size of disk for a while. Memory: see entry_stager.h; some 100
// MiB by default, whatever the size.
//
// Errors: restore_precondition_failed (the folder is not empty; what was
// restored is not what the backup says was there), archive_damaged and
// archive_unsupported (the stream), source_unavailable (no folder, no
// permission), source_no_space, source_failed, cancelled; a payload's own as
// they are. One thread.

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/restore/entry_stager.h"
#include "sluice/plugins/badger/stream/live_digest.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

struct RestoreOptions {
  StagerOptions stager;
  // Where value logs go; empty: to the folder itself. Empty or absent, too.
  std::string value_folder;
  // Small files that appear together with the directory, by name.
  std::map<std::string, std::string> companions;
  // What was alive at stager.live_at when the last stream of the chain was
  // made. A chain that does not reach it is refused,
  absl::optional<LiveTotals> expected;
  // unless that is accepted: RestoreTotals then says so.
  bool accept_mismatch = false;
  // Hold Badger's lock on the folder meanwhile: a Badger that is started on it
  // would make a MANIFEST of its own, and delete tables that are none of its.
  // For folders of the machine.
  bool hold_lock = false;
  // A chain without one entry is refused (source_empty).
  bool must_hold_something = false;
};

struct RestoreTotals {
  uint64_t entries = 0;
  uint64_t max_version = 0;
  uint64_t tables = 0;
  LiveTotals live;
  absl::Status mismatch;  // that was accepted
};

// Whether a restore may go to `path`: an empty folder, or one that can be made.
absl::StatusOr<bool> IsEmptyTarget(FileSystem* file_system,
                                   const std::string& path);

// Borrows `file_system`.
absl::StatusOr<RestoreTotals> RestoreDirectory(
    FileSystem* file_system, const std::string& path,
    const RestoreOptions& options, const sdk::Run& run,
    absl::Span<sdk::Payload* const> payloads);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_RESTORE_H_
