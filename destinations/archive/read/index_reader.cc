#include "sluice/destinations/archive/read/index_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/read/load.h"

namespace sluice {
namespace {

constexpr size_t kBufferBytes = size_t{64} << 10;

class IndexReader final : public PayloadReader {
 public:
  IndexReader(const Context& context, std::shared_ptr<ObjectStore> store,
              const Manifest& manifest)
      : context_(context), store_(std::move(store)), manifest_(manifest) {
    trailer_.size_bytes = manifest.index_size_bytes();
  }

  absl::StatusOr<absl::string_view> Next() override {
    if (!failed_.ok()) return failed_;
    absl::string_view view;
    failed_ = TryThrice([&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(view, Read());
      return absl::OkStatus();
    });
    if (!failed_.ok()) return failed_;
    hash_.Update(view);
    offset_ += view.size();
    if (view.empty() && !ended_) failed_ = CheckEnd();
    ended_ = view.empty();
    if (!failed_.ok()) return failed_;
    return view;
  }

  void Release() override {}
  size_t max_views() const override { return 2; }
  const PayloadTrailer& trailer() const override { return trailer_; }
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>&) const override {
    return absl::OkStatus();
  }

 private:
  // Into the buffer whose view is not the last one given out.
  absl::StatusOr<absl::string_view> Read() {
    SLUICE_RETURN_IF_ERROR(context_.status());
    const std::string name = ObjectName(manifest_.backup_id(), kIndexFile);
    if (reader_ == nullptr) {
      auto reader = store_->Open(context_, name, offset_);
      if (absl::IsNotFound(reader.status())) {
        return ExplainMissing(context_, *store_, manifest_.backup_id(),
                              kIndexFile);
      }
      SLUICE_RETURN_IF_ERROR(reader.status());
      reader_ = *std::move(reader);
    }
    std::vector<char>& buffer = buffers_[1 - current_];
    buffer.resize(kBufferBytes);
    const absl::StatusOr<size_t> size = reader_->Read(absl::MakeSpan(buffer));
    if (!size.ok()) {
      reader_.reset();  // the next try goes on from here
      return size.status();
    }
    current_ = 1 - current_;
    return absl::string_view(buffer.data(), *size);
  }

  absl::Status CheckEnd() {
    if (offset_ == manifest_.index_size_bytes() &&
        ToHex(hash_.Finish()) == manifest_.index_sha256()) {
      return absl::OkStatus();
    }
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     absl::StrCat("archive ", manifest_.backup_id(),
                                  ": index: checksum mismatch"));
  }

  const Context context_;
  const std::shared_ptr<ObjectStore> store_;
  const Manifest manifest_;
  PayloadTrailer trailer_;
  std::unique_ptr<ObjectReader> reader_;
  std::vector<char> buffers_[2];
  size_t current_ = 0;
  Sha256 hash_;
  uint64_t offset_ = 0;
  bool ended_ = false;
  absl::Status failed_;  // of Next, for good
};

}  // namespace

std::unique_ptr<PayloadReader> OpenArchiveIndex(
    const Context& context, std::shared_ptr<ObjectStore> store,
    const Manifest& manifest) {
  return std::make_unique<IndexReader>(context, std::move(store), manifest);
}

}  // namespace sluice
