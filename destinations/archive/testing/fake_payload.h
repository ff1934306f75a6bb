#ifndef SLUICE_DESTINATIONS_ARCHIVE_TESTING_FAKE_PAYLOAD_H_
#define SLUICE_DESTINATIONS_ARCHIVE_TESTING_FAKE_PAYLOAD_H_

// A payload from memory, for tests of destinations.
//
//   CannedPayload payload("hello");
//   payload.SetIds({"a", "b"});
//   destination->PutBackup(context, manifest, payload, {});

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/payload.h"

namespace sluice {

class CannedPayload final : public PayloadReader {
 public:
  // Given out in views of `view_bytes`.
  explicit CannedPayload(std::string bytes, size_t view_bytes = 7);

  void SetIds(std::vector<std::string> ascending);
  void SetIndex(std::string bytes) { index_ = std::move(bytes); }
  PayloadTrailer& mutable_trailer() { return trailer_; }
  // In place of the end.
  void FailAtEnd(absl::Status status) { end_ = std::move(status); }
  // Called before the view number `number` (from 0) is given out.
  void CallBefore(size_t number, std::function<void()> callback);

  size_t views_taken() const { return taken_; }
  size_t views_released() const { return released_; }
  // The most views that were ever out at once.
  size_t most_held() const { return most_held_; }

  absl::StatusOr<absl::string_view> Next() override;
  void Release() override { ++released_; }
  size_t max_views() const override { return 3; }
  const PayloadTrailer& trailer() const override { return trailer_; }
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override;
  uint64_t index_bytes() const override { return index_.size(); }
  absl::Status ForEachIndexChunk(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override {
    return callback(index_);
  }

 private:
  const std::string bytes_;
  const size_t view_bytes_;
  size_t offset_ = 0;
  size_t taken_ = 0;
  size_t most_held_ = 0;
  std::atomic<size_t> released_{0};
  PayloadTrailer trailer_;
  std::vector<std::string> ids_;
  std::string index_;
  absl::Status end_;
  size_t callback_at_ = 0;
  std::function<void()> callback_;
};

// All bytes up to the end; the reader's error else.
absl::StatusOr<std::string> ReadAll(PayloadReader& reader);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_TESTING_FAKE_PAYLOAD_H_
