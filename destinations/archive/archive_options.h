#ifndef SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_OPTIONS_H_
#define SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_OPTIONS_H_

// What an archive destination can be told.
//
// Example:
//
//   ArchiveOptions options;
//   options.repo_id = repo.id;
//   options.owner = "backup-host/4711";
//   auto archives = ArchiveDestination::Create(place, clock, options);
//
// A value. What is out of range is an error of the calls that use it, as each
// member says; costs stand beside the members that have some.

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "sluice/executor/stream/pipe.h"

namespace sluice {

struct ArchiveOptions {
  // The repo that the place must hold. Empty: any repo.
  std::string repo_id;
  // Who writes, for people who read writer.json: "host/pid". Need not be
  // unique. At most 200 bytes.
  std::string owner = "sluice";
  // Bytes of every segment of the payload but the last; cut down to what the
  // place can hold. 1 to 2^46. Small ones make many objects.
  uint64_t segment_bytes = uint64_t{1} << 30;
  // How long a silent writer is believed to be alive, by the place's clock. All
  // who share a repo must use the same. Danger: one that is shorter than a
  // pause of a machine makes live backups fail as publish_fenced.
  absl::Duration grace_window = absl::Hours(1);
  // From the manifest's commit on, cancel and deadline are masked; this is the
  // deadline in their place, and that of clearing away after a failure.
  absl::Duration publish_deadline = absl::Seconds(60);
  // How long the mark of an ended archive stays.
  absl::Duration tombstone_age = absl::Hours(24 * 30);
  // Read-ahead of GetBackup and Verify.
  PipeOptions read_ahead;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_OPTIONS_H_
