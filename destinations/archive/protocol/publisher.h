#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_PUBLISHER_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_PUBLISHER_H_

// One attempt to publish one archive; see "Publishing, the fence, the sweep" in
// ARCHITECTURE.md.
//
//   1. writer.json is taken, and renewed until the end
//   2. segments, payload_ids, index, SHA256SUMS are committed, each only if its
//      name is free (with read_back_payload each is read and its digest
//      compared)
//   3. before_publish; from here on the run's context is not looked at
//   4. manifest.json is committed, only if the name is free
//   5. manifest, sums and the size of every object are read back
//   6. writer.json is removed
//
// Any failure before 4 deletes what was written. At 4 an unknown
// outcome is settled by reading back.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/format/sums.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/destinations/archive/protocol/lease.h"
#include "sluice/executor/context.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"

namespace sluice {

// One thread, one Run.
class Publisher {
 public:
  // Borrows all; `place` as Describe told it.
  Publisher(const Context& context, ObjectStore& store, Clock* clock,
            const ArchiveOptions& options, const PlaceInfo& place,
            Manifest& manifest);

  absl::Status Run(PayloadReader& payload, const PutOptions& put);

 private:
  absl::Status TakeLease();
  absl::Status WriteObjects(PayloadReader& payload, const PutOptions& put);
  absl::Status FillManifest(const PayloadReader& payload,
                            std::vector<Segment> segments);
  absl::Status WriteSums();
  // Every byte of the payload and its ids, against the digests of what was
  // written.
  absl::Status ReadBackPayload(const PutOptions& put);
  absl::Status Publish(const PutOptions& put);
  absl::Status SettleManifest(const Context& masked,
                              const absl::Status& committed);
  // The commit failed and the manifest is not there: makes sure that it does
  // not appear later.
  absl::Status FenceOff(const Context& masked, const absl::Status& cause);
  absl::Status ReadBack(const Context& masked);
  // The manifest was committed and is not there any more.
  absl::Status LostManifest(const Context& masked);
  // `file` is not as it was written: the archive is none.
  absl::Status Withdraw(const Context& masked, absl::string_view file);
  absl::Status OutcomeUnknown(const absl::Status& cause);
  // Deletes what this attempt wrote. Errors are left to the sweep: they must
  // not hide the cause.
  void ClearAway();
  std::pair<Context, Context::CancelFunction> Masked() const;
  std::string Name(absl::string_view file) const;

  const Context context_;
  ObjectStore& store_;
  Clock* const clock_;
  const ArchiveOptions& options_;
  const PlaceInfo place_;
  Manifest& manifest_;
  const std::string owner_;
  std::unique_ptr<WriterLease> lease_;
  std::vector<std::string> written_;
  std::vector<FileSum> files_;
  uint64_t payload_ids_bytes_ = 0;
  std::string manifest_bytes_;
  std::string sums_bytes_;
  bool keep_ = false;  // nothing may be deleted by us: the sweep decides
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_PUBLISHER_H_
