// Whatever a payload holds: it is refused for good, or its entries ascend and
// its counts are right; and it does not matter how it is cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/memory/payload/payload_parser.h"

namespace sluice {
namespace {

using memory_internal::PayloadParser;
using memory_internal::PayloadVisitor;

// All that a payload says, in one string; and that its order is right.
class Record final : public PayloadVisitor {
 public:
  absl::Status BeginEntry(absl::string_view key) override {
    if (in_entry_ || (keys_ > 0 && key <= last_key_)) std::abort();
    in_entry_ = true;
    last_key_ = std::string(key);
    ++keys_;
    return Told('K', key);
  }
  absl::Status AddPayloadId(absl::string_view id) override {
    if (!in_entry_) std::abort();
    ++ids_;
    return Told('I', id);
  }
  absl::Status AppendValue(absl::string_view bytes) override {
    if (!in_entry_) std::abort();
    value_ += std::string(bytes);
    return absl::OkStatus();
  }
  absl::Status EndEntry() override {
    if (!in_entry_) std::abort();
    in_entry_ = false;
    value_bytes_ += value_.size();
    return Told('V', std::exchange(value_, ""));
  }

  bool Matches(const memory_internal::PayloadTotals& totals) const {
    return !in_entry_ && totals.keys == keys_ && totals.payload_ids == ids_ &&
           totals.value_bytes == value_bytes_;
  }
  const std::string& all() const { return all_; }

 private:
  absl::Status Told(char kind, absl::string_view bytes) {
    all_ += kind + std::to_string(bytes.size()) + ":" + std::string(bytes);
    return absl::OkStatus();
  }

  bool in_entry_ = false;
  std::string last_key_;
  std::string value_;
  std::string all_;
  uint64_t keys_ = 0;
  uint64_t ids_ = 0;
  uint64_t value_bytes_ = 0;
};

absl::Status Parse(absl::string_view bytes, size_t piece, Record& record) {
  PayloadParser parser(record);
  const absl::Status status = FeedInPieces(parser, bytes, piece);
  if (status.ok() && !record.Matches(parser.totals())) std::abort();
  return status;
}

}  // namespace
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Record whole;
  const absl::Status status = Parse(bytes, std::max<size_t>(size, 1), whole);
  if (!status.ok() && ErrorCodeOf(status) != kArchiveDamaged &&
      ErrorCodeOf(status) != kArchiveUnsupported) {
    std::abort();
  }
  for (const size_t piece : {1, 7}) {
    Record cut;
    if (Parse(bytes, piece, cut).code() != status.code()) std::abort();
    if (status.ok() && cut.all() != whole.all()) std::abort();
  }
  return 0;
}
