#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_SWEEP_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_SWEEP_H_

// Takes away what dead writers and half-done deletes left in a repo.
//
//   found below <id>/                       | done
//   ----------------------------------------|--------------------------------
//   a manifest (also a damaged one)         | nothing, but a writer.json that
//                                           | has expired goes
//   a tombstone and other objects           | they go, uploads too
//                                           | (writer.json once it has expired)
//   a tombstone alone, older than 30 days   | it goes
//   no manifest, a live writer.json         | nothing
//   no manifest, an expired writer.json, or | the fence is taken with a
//   one whose writer `has_ended` knows      | tombstone, then all goes
//   no manifest, no writer.json             | nothing: an archive that lost its
//                                           | manifest, or that is being copied
//                                           | in. `lost` names it. Only where
//                                           | asked for is it ended as above
//
// Nothing is ended that `is_recorded` knows as a backup that succeeded, nor,
// unless `has_ended` knows better, below an id where anything, ours or not, is
// younger than the grace window.
//
// Uncommitted uploads older than the grace window, of archives without a live
// writer, are aborted. "Live", "older" and "younger" are by the clock that the
// place gives objects (object_io.h, PlaceNow). Names that no version of Sluice
// makes are never touched.
//
// Safe beside writers, deletes and other sweeps, from any process.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const SweepReport report,
//                           SweepRepo(context, place, {}, {}));
//   for (const absl::Status& problem : report.problems) std::cerr << problem;
//
// Any thread; callbacks come on it. Arguments are borrowed for the call. Cost:
// lists the whole repo once and its uploads once, and reads what it has to know
// of archives that have no manifest.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

struct SweepOptions {
  // Whether a catalog holds a record of this id: a backup that succeeded. Null:
  // none is known.
  std::function<bool(absl::string_view backup_id)> is_recorded;
  // Whether a catalog holds a job for this id that has ended without an
  // archive: its writer is gone, whatever writer.json says, and the room that
  // it holds is free at once. Null: none is known.
  std::function<bool(absl::string_view backup_id)> has_ended;
  // Also ends what has neither manifest nor writer.json. Danger: the payload of
  // an archive that lost its manifest is such, and so is one that somebody has
  // not finished copying in.
  bool take_lost = false;
};

struct SweepReport {
  std::vector<std::string> ended;  // ids whose fence was taken
  uint64_t objects_deleted = 0;
  uint64_t bytes_deleted = 0;
  uint64_t uploads_aborted = 0;
  uint64_t tombstones_deleted = 0;
  // Ids left alone because their writer is alive.
  std::vector<std::string> live;
  // Ids left alone that have objects and no manifest, but no writer either.
  std::vector<std::string> lost;
  // Ids left alone because something below them is young, or they are recorded.
  std::vector<std::string> spared;
  // What could not be done; the next sweep tries again.
  std::vector<absl::Status> problems;
};

// The place must have been proven to be the repo that is meant. An error only
// where nothing could be begun; else problems are in the report.
absl::StatusOr<SweepReport> SweepRepo(const Context& context,
                                      ObjectStore& store,
                                      const ArchiveOptions& options,
                                      const SweepOptions& sweep);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_SWEEP_H_
