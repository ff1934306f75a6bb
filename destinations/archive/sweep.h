#ifndef SLUICE_DESTINATIONS_ARCHIVE_SWEEP_H_
#define SLUICE_DESTINATIONS_ARCHIVE_SWEEP_H_

// Takes away what dead writers and half-done deletes left in a repo.
//
//   found below <id>/                       | done
//   ----------------------------------------|--------------------------------
//   a manifest (also a damaged one)         | nothing, but a writer.json that
//                                           | has expired goes
//   no manifest, a live writer.json         | nothing
//   no manifest, no live writer.json        | the fence is taken with a
//                                           | tombstone, then all goes
//   a tombstone and other objects           | they go (writer.json once it has
//                                           | expired)
//   a tombstone alone, older than 30 days   | it goes
//
// Uncommitted uploads older than the grace window, of archives without a live
// writer, are aborted. "Live" and "older" are by the place's own clock. Names
// that no version of Sluice makes are never touched.
//
// Safe beside writers, deletes and other sweeps, from any process.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

struct SweepReport {
  std::vector<std::string> ended;  // ids whose fence was taken
  uint64_t objects_deleted = 0;
  uint64_t bytes_deleted = 0;
  uint64_t uploads_aborted = 0;
  uint64_t tombstones_deleted = 0;
  // Ids left alone because their writer is alive.
  std::vector<std::string> live;
  // What could not be done; the next sweep tries again.
  std::vector<absl::Status> problems;
};

// The place must have been proven to be the repo that is meant. An error only
// where nothing could be begun; else problems are in the report.
absl::StatusOr<SweepReport> SweepRepo(const Context& context,
                                      ObjectStore& store,
                                      const ArchiveOptions& options);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_SWEEP_H_
