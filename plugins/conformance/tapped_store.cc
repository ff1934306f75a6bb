#include "sluice/plugins/conformance/tapped_store.h"

#include "absl/strings/match.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/passing_store.h"

namespace sluice {
namespace {

bool IsPayload(absl::string_view name) {
  return absl::StrContains(name, "/payload.bin");
}

class TappedWriter final : public ObjectWriter {
 public:
  TappedWriter(std::unique_ptr<ObjectWriter> writer,
               std::shared_ptr<const PayloadTaps> taps)
      : writer_(std::move(writer)), taps_(std::move(taps)) {}

  absl::Status Write(absl::string_view bytes) override {
    if (taps_->on_write) SLUICE_RETURN_IF_ERROR(taps_->on_write(bytes));
    return writer_->Write(bytes);
  }
  absl::Status Commit(CommitMode mode) override {
    return writer_->Commit(mode);
  }
  absl::Status Abort() override { return writer_->Abort(); }

 private:
  const std::unique_ptr<ObjectWriter> writer_;
  const std::shared_ptr<const PayloadTaps> taps_;
};

class TappedReader final : public ObjectReader {
 public:
  TappedReader(std::unique_ptr<ObjectReader> reader, uint64_t offset,
               uint64_t size, std::shared_ptr<const PayloadTaps> taps)
      : reader_(std::move(reader)),
        offset_(offset),
        size_(size),
        taps_(std::move(taps)) {}

  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override {
    SLUICE_ASSIGN_OR_RETURN(const size_t size, reader_->Read(buffer));
    if (taps_->on_read) {
      SLUICE_RETURN_IF_ERROR(
          taps_->on_read(buffer.subspan(0, size), offset_, size_));
    }
    offset_ += size;
    return size;
  }

 private:
  const std::unique_ptr<ObjectReader> reader_;
  uint64_t offset_;
  const uint64_t size_;
  const std::shared_ptr<const PayloadTaps> taps_;
};

class TappedStore final : public PassingStore {
 public:
  TappedStore(std::shared_ptr<ObjectStore> store, PayloadTaps taps)
      : PassingStore(std::move(store)),
        taps_(std::make_shared<const PayloadTaps>(std::move(taps))) {}

  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(
      const Context& context, absl::string_view name,
      uint64_t size_hint) override {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                            inner_->Begin(context, name, size_hint));
    if (!IsPayload(name)) return writer;
    return std::make_unique<TappedWriter>(std::move(writer), taps_);
  }
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& context,
                                                     absl::string_view name,
                                                     uint64_t offset) override {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectReader> reader,
                            inner_->Open(context, name, offset));
    if (!IsPayload(name)) return reader;
    SLUICE_ASSIGN_OR_RETURN(const ObjectInfo info, inner_->Stat(context, name));
    return std::make_unique<TappedReader>(std::move(reader), offset, info.size,
                                          taps_);
  }

 private:
  const std::shared_ptr<const PayloadTaps> taps_;
};

}  // namespace

std::shared_ptr<ObjectStore> TapStore(std::shared_ptr<ObjectStore> store,
                                      PayloadTaps taps) {
  return std::make_shared<TappedStore>(std::move(store), std::move(taps));
}

}  // namespace sluice
