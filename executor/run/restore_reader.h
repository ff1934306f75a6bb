#ifndef SLUICE_EXECUTOR_RUN_RESTORE_READER_H_
#define SLUICE_EXECUTOR_RUN_RESTORE_READER_H_

// One payload of a chain on its way back into a store. Beside what the
// destination checks of the stored bytes, it checks that the bytes are those
// that once left the source: their count and their XXH3. The end is given only
// then. An error of the place becomes the run's cause here, so that the target
// can't retell it as its own.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"
#include "sluice/executor/stream/first_cause.h"

namespace sluice {

class RestoreReader final : public PayloadReader {
 public:
  // `bytes_done` grows by what is given.
  RestoreReader(std::shared_ptr<Destination> destination, Manifest manifest,
                std::shared_ptr<FirstCause> cause,
                std::shared_ptr<std::atomic<uint64_t>> bytes_done);
  ~RestoreReader() override;

  absl::StatusOr<absl::string_view> Next() override;
  void Release() override;
  size_t max_views() const override;
  const PayloadTrailer& trailer() const override;
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override;

  // The end was given.
  bool at_end() const { return at_end_; }

 private:
  struct Checksum;

  // Opened with the first call, so that a long chain doesn't open all at once.
  absl::Status Open();
  absl::Status CheckEnd() const;
  absl::Status Fail(const absl::Status& status);

  const std::shared_ptr<Destination> destination_;
  const Manifest manifest_;
  const std::shared_ptr<FirstCause> cause_;
  const std::shared_ptr<std::atomic<uint64_t>> bytes_done_;
  std::unique_ptr<PayloadReader> inner_;
  std::unique_ptr<Checksum> checksum_;
  uint64_t size_bytes_ = 0;
  bool at_end_ = false;
  absl::Status failed_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_RESTORE_READER_H_
