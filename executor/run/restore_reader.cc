#include "sluice/executor/run/restore_reader.h"

#include <xxhash.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/run/restore_chain.h"
#include "sluice/executor/run/run_outcome.h"

namespace sluice {

struct RestoreReader::Checksum {
  struct Free {
    void operator()(XXH3_state_t* s) const { XXH3_freeState(s); }
  };
  std::unique_ptr<XXH3_state_t, Free> state{XXH3_createState()};
};

RestoreReader::RestoreReader(std::shared_ptr<Destination> destination,
                             Manifest manifest,
                             std::shared_ptr<FirstCause> cause,
                             std::shared_ptr<std::atomic<uint64_t>> bytes_done)
    : destination_(std::move(destination)),
      manifest_(std::move(manifest)),
      cause_(std::move(cause)),
      bytes_done_(std::move(bytes_done)),
      checksum_(std::make_unique<Checksum>()) {}

RestoreReader::~RestoreReader() = default;

absl::Status RestoreReader::Fail(const absl::Status& status) {
  failed_ = AboutArchive(DestinationError(status), manifest_.backup_id());
  cause_->Set(FirstCause::Party::kDestination, failed_);
  return failed_;
}

absl::Status RestoreReader::Open() {
  SLUICE_RETURN_IF_ERROR(failed_);
  SLUICE_RETURN_IF_ERROR(cause_->stopped().status());
  if (inner_ != nullptr) return absl::OkStatus();
  if (checksum_->state == nullptr) {
    return Fail(absl::ResourceExhaustedError("no memory for a checksum"));
  }
  XXH3_64bits_reset(checksum_->state.get());
  absl::StatusOr<std::unique_ptr<PayloadReader>> reader =
      destination_->GetBackup(cause_->stopped(), manifest_.backup_id());
  if (!reader.ok()) return Fail(reader.status());
  inner_ = *std::move(reader);
  return absl::OkStatus();
}

absl::StatusOr<absl::string_view> RestoreReader::Next() {
  SLUICE_RETURN_IF_ERROR(Open());
  if (at_end_) return absl::string_view();
  const absl::StatusOr<absl::string_view> view = inner_->Next();
  if (!view.ok()) return Fail(view.status());
  if (view->empty()) {
    if (absl::Status status = CheckEnd(); !status.ok()) return Fail(status);
    at_end_ = true;
    return *view;
  }
  XXH3_64bits_update(checksum_->state.get(), view->data(), view->size());
  size_bytes_ += view->size();
  bytes_done_->fetch_add(view->size(), std::memory_order_relaxed);
  return *view;
}

absl::Status RestoreReader::CheckEnd() const {
  const std::string xxh3 = absl::StrCat(
      absl::Hex(XXH3_64bits_digest(checksum_->state.get()), absl::kZeroPad16));
  if (size_bytes_ == manifest_.plain_size_bytes() &&
      xxh3 == manifest_.plain_xxh3()) {
    return absl::OkStatus();
  }
  return MakeError(
      absl::StatusCode::kDataLoss, kArchiveDamaged,
      absl::StrCat("archive ", manifest_.backup_id(), ": ", size_bytes_,
                   " bytes with checksum ", xxh3, ", but ",
                   manifest_.plain_size_bytes(), " with ",
                   manifest_.plain_xxh3(), " left the source"));
}

void RestoreReader::Release() {
  if (inner_ != nullptr) inner_->Release();
}

size_t RestoreReader::max_views() const {
  return inner_ != nullptr ? inner_->max_views() : 2;
}

const PayloadTrailer& RestoreReader::trailer() const {
  return inner_->trailer();
}

absl::Status RestoreReader::ForEachPayloadId(
    const std::function<absl::Status(absl::string_view)>& callback) const {
  return inner_->ForEachPayloadId(callback);
}

}  // namespace sluice
