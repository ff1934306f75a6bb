#ifndef SLUICE_TESTS_FAULTS_LATER_STORE_H_
#define SLUICE_TESTS_FAULTS_LATER_STORE_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

// The place as it would be some hours on.
class LaterStore final : public ObjectStore {
 public:
  LaterStore(std::shared_ptr<ObjectStore> inner, absl::Duration later)
      : inner_(std::move(inner)), later_(later) {}

  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override {
    SLUICE_ASSIGN_OR_RETURN(PlaceInfo info, inner_->Describe(context, probe));
    info.now += later_;
    return info;
  }
  absl::Status Create(const Context& context) override {
    return inner_->Create(context);
  }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Context& context,
                                                      absl::string_view name,
                                                      uint64_t hint) override {
    return inner_->Begin(context, name, hint);
  }
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& context,
                                                     absl::string_view name,
                                                     uint64_t offset) override {
    return inner_->Open(context, name, offset);
  }
  absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                  absl::string_view name) override {
    return inner_->Stat(context, name);
  }
  absl::Status List(const Context& context, absl::string_view prefix,
                    const Callback& callback) override {
    return inner_->List(context, prefix, callback);
  }
  absl::Status Delete(const Context& context, absl::string_view name) override {
    return inner_->Delete(context, name);
  }
  absl::Status ListUncommitted(const Context& context, absl::string_view prefix,
                               const Callback& callback) override {
    return inner_->ListUncommitted(context, prefix, callback);
  }
  absl::Status AbortUncommitted(const Context& context,
                                absl::string_view upload) override {
    return inner_->AbortUncommitted(context, upload);
  }

 private:
  const std::shared_ptr<ObjectStore> inner_;
  const absl::Duration later_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_FAULTS_LATER_STORE_H_
