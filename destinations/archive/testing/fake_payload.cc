#include "sluice/destinations/archive/testing/fake_payload.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"

namespace sluice {

CannedPayload::CannedPayload(std::string bytes, size_t view_bytes)
    : bytes_(std::move(bytes)), view_bytes_(view_bytes) {
  trailer_.size_bytes = bytes_.size();
  trailer_.xxh3 = XXH3_64bits(bytes_.data(), bytes_.size());
  trailer_.counts["bytes"] = bytes_.size();
}

void CannedPayload::SetIds(std::vector<std::string> ascending) {
  ids_ = std::move(ascending);
  trailer_.payload_id_count = ids_.size();
}

void CannedPayload::CallBefore(size_t number, std::function<void()> callback) {
  callback_at_ = number;
  callback_ = std::move(callback);
}

absl::StatusOr<absl::string_view> CannedPayload::Next() {
  if (callback_ && callback_at_ == taken_) std::exchange(callback_, nullptr)();
  if (offset_ == bytes_.size()) {
    if (!end_.ok()) return end_;
    return absl::string_view();
  }
  const absl::string_view view =
      absl::string_view(bytes_).substr(offset_, view_bytes_);
  offset_ += view.size();
  ++taken_;
  most_held_ = std::max(most_held_, taken_ - released_);
  return view;
}

absl::Status CannedPayload::ForEachPayloadId(
    const std::function<absl::Status(absl::string_view)>& callback) const {
  for (const std::string& id : ids_) {
    SLUICE_RETURN_IF_ERROR(callback(id));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(PayloadReader& reader) {
  std::string bytes;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view view, reader.Next());
    if (view.empty()) return bytes;
    absl::StrAppend(&bytes, view);
    reader.Release();
  }
}

}  // namespace sluice
