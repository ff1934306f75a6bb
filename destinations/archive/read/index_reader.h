#ifndef SLUICE_DESTINATIONS_ARCHIVE_READ_INDEX_READER_H_
#define SLUICE_DESTINATIONS_ARCHIVE_READ_INDEX_READER_H_

// The index of a published archive (docs/format/archive.md). Its end is given
// only where all bytes were those of the manifest's digest.
//
// No thread of its own, opened with the first Next: an increment reads those of
// a whole chain at once. Memory: two buffers of 64 KiB. Errors:
// archive_damaged; those of the place, where trying again does not help.

#include <memory>

#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"

namespace sluice {

// `manifest` has an index.
std::unique_ptr<PayloadReader> OpenArchiveIndex(
    const Context& context, std::shared_ptr<ObjectStore> store,
    const Manifest& manifest);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_READ_INDEX_READER_H_
