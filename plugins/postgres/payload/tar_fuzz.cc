// Whatever a tar holds: it is refused for good, or each member gets as many
// bytes as it claimed; and it does not matter how it is cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/postgres/payload/tar_reader.h"

namespace sluice::postgres {
namespace {

// All that a tar says, in one string; and that its order is right.
class Record final : public TarVisitor {
 public:
  absl::Status BeginMember(absl::string_view name, uint64_t size) override {
    if (in_member_ || name.empty()) std::abort();
    in_member_ = true;
    remaining_ = size;
    all_ += "[" + std::string(name) + ":" + std::to_string(size) + "]";
    return absl::OkStatus();
  }
  absl::Status AppendMember(absl::string_view bytes) override {
    if (!in_member_ || bytes.empty() || bytes.size() > remaining_) std::abort();
    remaining_ -= bytes.size();
    all_ += std::string(bytes);
    return absl::OkStatus();
  }
  absl::Status EndMember() override {
    if (!in_member_ || remaining_ != 0) std::abort();
    in_member_ = false;
    return absl::OkStatus();
  }

  bool in_member() const { return in_member_; }
  const std::string& all() const { return all_; }

 private:
  bool in_member_ = false;
  uint64_t remaining_ = 0;
  std::string all_;
};

absl::Status Read(absl::string_view bytes, size_t piece, Record& record) {
  TarReader reader(record);
  const absl::Status status = FeedInPieces(reader, bytes, piece);
  if (status.ok() && record.in_member()) std::abort();
  return status;
}

}  // namespace
}  // namespace sluice::postgres

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sluice::postgres::Read;
  using sluice::postgres::Record;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Record whole;
  const absl::Status status = Read(bytes, std::max<size_t>(size, 1), whole);
  if (!status.ok() && sluice::ErrorCodeOf(status) != sluice::kArchiveDamaged) {
    std::abort();
  }
  for (const size_t piece : {1, 500}) {
    Record cut;
    if (Read(bytes, piece, cut).code() != status.code()) std::abort();
    if (status.ok() && cut.all() != whole.all()) std::abort();
  }
  return 0;
}
