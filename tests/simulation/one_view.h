#ifndef SLUICE_TESTS_SIMULATION_ONE_VIEW_H_
#define SLUICE_TESTS_SIMULATION_ONE_VIEW_H_

// A destination that holds one view of the payload at a time. How many an
// archive still holds depends on how far its hash thread has come, which no
// scheduler orders; with one, what the writer of the pipe sees follows from the
// schedule alone.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/executor/destination.h"

namespace sluice {

class OneViewReader final : public PayloadReader {
 public:
  explicit OneViewReader(PayloadReader& inner) : inner_(inner) {}

  absl::StatusOr<absl::string_view> Next() override { return inner_.Next(); }
  void Release() override { inner_.Release(); }
  size_t max_views() const override { return 1; }
  const PayloadTrailer& trailer() const override { return inner_.trailer(); }
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override {
    return inner_.ForEachPayloadId(callback);
  }

 private:
  PayloadReader& inner_;
};

class OneViewDestination final : public Destination {
 public:
  explicit OneViewDestination(std::shared_ptr<Destination> inner)
      : inner_(std::move(inner)) {}

  absl::Status PutBackup(const Context& context, Manifest& manifest,
                         PayloadReader& payload,
                         const PutOptions& options) override {
    OneViewReader one(payload);
    return inner_->PutBackup(context, manifest, one, options);
  }
  absl::StatusOr<Manifest> GetManifest(const Context& context,
                                       absl::string_view id) override {
    return inner_->GetManifest(context, id);
  }
  absl::StatusOr<std::unique_ptr<PayloadReader>> GetBackup(
      const Context& context, absl::string_view id) override {
    return inner_->GetBackup(context, id);
  }
  absl::StatusOr<std::vector<Manifest>> List(const Context& context) override {
    return inner_->List(context);
  }
  absl::Status Stat(const Context& context, absl::string_view id) override {
    return inner_->Stat(context, id);
  }
  absl::Status Delete(const Context& context, absl::string_view id) override {
    return inner_->Delete(context, id);
  }
  absl::Status Validate(const Context& context) override {
    return inner_->Validate(context);
  }
  absl::Status Close() override { return inner_->Close(); }

 private:
  const std::shared_ptr<Destination> inner_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SIMULATION_ONE_VIEW_H_
