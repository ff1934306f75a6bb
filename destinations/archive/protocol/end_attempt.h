#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_END_ATTEMPT_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_END_ATTEMPT_H_

// Whether an attempt is still being written, and how a dead one is ended.
//
// Who may be believed dead: an attempt whose writer.json has expired, and one
// whose owner certainly ended (its job's process is gone). Ending it takes the
// archive's name with a tombstone first (fence.h) and then takes away all that
// lies below the id, uploads too, at once: what it filled the disk with is free
// as soon as nobody can publish it any more. Safe beside everything, from any
// process. Functions block; any thread.
//
//   SLUICE_ASSIGN_OR_RETURN(const bool live,
//                           HasLiveWriter(run, store, id, grace_window));
//   if (!live) return EndAttempt(run, store, id, "job 01J... died", owner);

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

// Whether there is a writer.json that has not expired: by the clock that the
// place gives objects (object_io.h, PlaceNow), and never before `grace_window`
// has passed since it was written, whatever the writer's own clock made it say.
// One that cannot be understood counts from the time that it was written.
absl::StatusOr<bool> HasLiveWriter(const Context& context, ObjectStore& store,
                                   absl::string_view backup_id,
                                   absl::Duration grace_window);

// Whether there are objects of ours, and neither a manifest nor a writer.json:
// what no run leaves behind, a published archive that lost its manifest or one
// that is only half copied here. (A writer that clears away takes writer.json
// last.)
absl::StatusOr<bool> LostItsManifest(const Context& context, ObjectStore& store,
                                     absl::string_view backup_id);

struct RemovedRemains {
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t uploads = 0;
};

// One that is gone already is another's work: no error, and not counted.
absl::Status DeleteObject(const Context& context, ObjectStore& store,
                          const ObjectInfo& object, RemovedRemains& removed);

// Deletes all of ours below an id whose name a tombstone holds, but not the
// tombstone. `keep_writer`: nor writer.json.
absl::Status RemoveRemains(const Context& context, ObjectStore& store,
                           absl::string_view backup_id, bool keep_writer,
                           RemovedRemains& removed);

struct EndedAttempt {
  // It turned out to be published: nothing was done.
  bool published = false;
  bool fence_taken = false;  // by this call; false: it had been ended before
  RemovedRemains removed;
  // Of what could not be taken away; the sweep finishes it.
  absl::Status problem;
};

// Takes the name with a tombstone unless a manifest is there, then removes what
// lies beside it. Where there is no room for a tombstone, the attempt's uploads
// go first: they are what fills the disk. An error: the name was not taken.
// Idempotent.
absl::StatusOr<EndedAttempt> EndAttempt(const Context& context,
                                        ObjectStore& store,
                                        absl::string_view backup_id,
                                        absl::string_view reason,
                                        absl::string_view owner);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_END_ATTEMPT_H_
