#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_PAYLOAD_WRITER_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_PAYLOAD_WRITER_H_

// The payload and its ids on their way into objects.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"

namespace sluice {

// Where an attempt writes. Every name is noted in `written` before the commit
// that may make it exist, so that a failed attempt can be cleared away.
struct ArchiveTarget {
  Context context;
  ObjectStore& store;
  std::string backup_id;
  std::vector<std::string>& written;
};

// Drains `payload` into segments of `segment_bytes`, hashing beside the write.
// At least one segment, also for no bytes. An error of `payload` is returned as
// it is. Blocks; starts one thread.
absl::StatusOr<std::vector<Segment>> WriteSegments(const ArchiveTarget& target,
                                                   uint64_t segment_bytes,
                                                   PayloadReader& payload);

struct StoredIds {
  uint64_t count = 0;
  uint64_t size = 0;
  std::string sha256;  // hex; empty where there are none
};

// Writes `payload_ids` from a payload that was read to its end; no object where
// there are none. INTERNAL where ids are not ascending and distinct.
absl::StatusOr<StoredIds> WritePayloadIds(const ArchiveTarget& target,
                                          const PayloadReader& payload);

struct StoredIndex {
  uint64_t size = 0;   // 0: there is none
  std::string sha256;  // hex; empty where there is none
};

// Writes `index` from a payload that was read to its end; no object where the
// payload has none, or one that is larger than `most` (0: any size): an archive
// is whole without it.
absl::StatusOr<StoredIndex> WriteIndex(const ArchiveTarget& target,
                                       uint64_t most,
                                       const PayloadReader& payload);

// 1 to 1,024 bytes, no control bytes.
bool IsPayloadId(absl::string_view id);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_PAYLOAD_WRITER_H_
