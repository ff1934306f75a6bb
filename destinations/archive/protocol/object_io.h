#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_OBJECT_IO_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_OBJECT_IO_H_

// Small objects whole, and commits whose answer got lost.
//
// A place may carry out a commit and lose the answer (a timeout, a 412 after
// the client's own retry, a sync that failed). Settle() asks the place itself:
// what lies under the name now is compared with what was written. Functions
// block; any thread.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

// All bytes of the object. NOT_FOUND where there is none; archive_damaged
// where it is larger than `most`.
absl::StatusOr<std::string> ReadObject(const Context& context,
                                       ObjectStore& store,
                                       absl::string_view name, uint64_t most);

// Whether the object is exactly `bytes`. NOT_FOUND where there is none.
absl::StatusOr<bool> ObjectEquals(const Context& context, ObjectStore& store,
                                  absl::string_view name,
                                  absl::string_view bytes);

struct ObjectDigest {
  uint64_t size = 0;
  std::string sha256;  // hex
};
// Reads the object to its end and hashes it. NOT_FOUND where there is none.
absl::StatusOr<ObjectDigest> DigestObject(const Context& context,
                                          ObjectStore& store,
                                          absl::string_view name);

// The time by the place's own clock: what it gives an object that is written
// right now, since the clock of a machine that mounts it may be an hour off.
// Writes a probe (names.h) and deletes it; where the place takes none, as a
// full or read-only one, what Describe says.
absl::StatusOr<absl::Time> PlaceNow(const Context& context, ObjectStore& store);

// Whether the object's bytes may be there next time: UNAVAILABLE, UNKNOWN.
bool MayPass(const absl::Status& status);

// Calls `operation` again, twice at most, while it fails in a way that may
// pass (UNAVAILABLE, UNKNOWN). For reads and other things that may be repeated.
absl::Status TryThrice(const std::function<absl::Status()>& operation);

struct CommitOutcome {
  enum Kind {
    kStored,   // there, as it was written
    kAbsent,   // not there
    kTaken,    // something else lies under the name
    kUnknown,  // neither could be shown
  };
  Kind kind = kUnknown;
  absl::Status status;  // OK with kStored, else the cause
};

// What became of a commit that answered `committed`. `equals` compares what
// lies under the name, NOT_FOUND where nothing does.
CommitOutcome Settle(const absl::Status& committed,
                     const std::function<absl::StatusOr<bool>()>& equals);

// Writes a small object whole and settles it.
CommitOutcome StoreObject(const Context& context, ObjectStore& store,
                          absl::string_view name, absl::string_view bytes,
                          CommitMode mode);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_OBJECT_IO_H_
