#ifndef SLUICE_PLUGINS_BADGER_STREAM_BACKUP_WALK_H_
#define SLUICE_PLUGINS_BADGER_STREAM_BACKUP_WALK_H_

// The entries of an image that Badger's DB.Backup would write, keys ascending,
// each key's newest version first.
//
//   WalkOptions options;
//   options.now = absl::ToUnixSeconds(absl::Now());
//   SLUICE_ASSIGN_OR_RETURN(
//       const WalkTotals totals,
//       WalkBackup(*versions, options, run, [&](const StreamEntry& entry) {
//         return writer.Add(entry);
//       }));
//
// Of each key all versions, up to the first that is deleted or has expired
// (which is one of them, without its value) or says that earlier ones are to be
// discarded (behind which stands a tombstone, one version below).
//
// A value that is not there is an error where it is a key's newest; an obsolete
// version without one, which the value log's collector leaves, is passed over
// and counted.
//
// Values of value logs are read together (version_window.h), a window while the
// one before it is waited for; what is shown, and the error that ends it, are
// as if they were read one by one. Where values lie in the tables, nothing
// waits.
//
// One thread. Memory: two windows of VersionWindow::kMaxBytes, and one value.
// Errors: those of VersionReader and of the visitor; cancelled.

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/live_digest.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {

struct WalkOptions {
  // When a key counts as expired, in seconds since 1970.
  uint64_t now = 0;
  // Whether WalkTotals.live is wanted.
  bool with_live_totals = true;
  // Without: an entry that leads into a value log is shown without its value,
  // once its record was found to be that of the key and version. For an image
  // whose logs stay (ImageOptions::logs_stay), and that is walked again.
  bool with_log_values = true;
};

struct WalkTotals {
  uint64_t keys = 0;         // that have an entry
  uint64_t versions = 0;     // entries
  uint64_t bytes = 0;        // of keys and values
  uint64_t max_version = 0;  // of all that is stored
  uint64_t values_gone = 0;  // of obsolete versions
  LiveTotals live;
};

using EntryVisitor = absl::FunctionRef<absl::Status(const StreamEntry&)>;

// `versions` is at its first and is used up. The entry lives for the call.
absl::StatusOr<WalkTotals> WalkBackup(VersionReader& versions,
                                      const WalkOptions& options,
                                      const sdk::Run& run, EntryVisitor visit);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_BACKUP_WALK_H_
