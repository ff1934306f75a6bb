#ifndef SLUICE_DESTINATIONS_ARCHIVE_READ_ARCHIVE_READER_H_
#define SLUICE_DESTINATIONS_ARCHIVE_READ_ARCHIVE_READER_H_

// The payload of a published archive, read ahead and verified as it streams.
//
// One thread reads the segments into a pipe, a second hashes each view while
// the caller uses it. The end is given only after the SHA-256 and the size of
// every segment were right: what came before is not to be trusted until then.
//
// Errors: archive_damaged for wrong bytes, a segment cut short or too long, or
// a missing one. A read that fails in passing is taken up again where it
// stopped, up to three times without a byte between.

#include <memory>

#include "absl/status/statusor.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"
#include "sluice/executor/stream/pipe.h"

namespace sluice {

// Starts reading at once. `manifest` as LoadManifest gave it; `store` must
// outlive the reader. Uses the memory of one pipe and two threads.
absl::StatusOr<std::unique_ptr<PayloadReader>> OpenArchivePayload(
    const Context& context, std::shared_ptr<ObjectStore> store,
    const Manifest& manifest, const PipeOptions& read_ahead);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_READ_ARCHIVE_READER_H_
