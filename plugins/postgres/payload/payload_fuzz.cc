// Whatever a payload holds: it is refused for good with one of two words, or
// its visitor saw a head first, an index last, and parts of what the head has.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/payload_reader.h"

namespace sluice::postgres {
namespace {

class Record final : public PayloadVisitor {
 public:
  absl::Status OnHead(const PayloadHead& head) override {
    if (tables_ != kNone || ended_) std::abort();
    tables_ = head.tables.size();
    return absl::OkStatus();
  }
  absl::Status AppendSchemaDump(absl::string_view bytes) override {
    if (tables_ == kNone || dumped_ || bytes.empty()) std::abort();
    return absl::OkStatus();
  }
  absl::Status EndSchemaDump() override {
    dumped_ = true;
    return absl::OkStatus();
  }
  absl::Status AwaitRoom(uint64_t size) override {
    if (!dumped_ || size == 0) std::abort();
    return absl::OkStatus();
  }
  absl::Status OnRows(size_t table, std::string rows) override {
    if (!dumped_ || ended_ || table >= tables_ || rows.empty()) std::abort();
    return absl::OkStatus();
  }
  absl::Status OnBlobs(const std::vector<PayloadBlob>& blobs) override {
    if (!dumped_ || ended_ || blobs.empty()) std::abort();
    return absl::OkStatus();
  }
  absl::Status OnBlobPart(uint32_t oid, uint64_t part,
                          std::string bytes) override {
    if (!dumped_ || ended_ || oid == 0 || bytes.empty()) std::abort();
    return absl::OkStatus();
  }
  absl::Status OnIndex(PayloadIndex index) override {
    if (!dumped_ || ended_ || index.tables.size() != tables_) std::abort();
    ended_ = true;
    return absl::OkStatus();
  }

  bool ended() const { return ended_; }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  size_t tables_ = kNone;
  bool dumped_ = false;
  bool ended_ = false;
};

}  // namespace
}  // namespace sluice::postgres

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sluice::postgres::PayloadReader;
  using sluice::postgres::Record;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Record record;
  PayloadReader reader(record);
  const absl::Status status = sluice::FeedInPieces(reader, bytes, 700);
  if (status.ok() && !record.ended()) std::abort();
  const std::string code = sluice::ErrorCodeOf(status);
  if (!status.ok() && code != sluice::kArchiveDamaged &&
      code != sluice::kArchiveUnsupported) {
    std::abort();
  }
  return 0;
}
