#ifndef SLUICE_DESTINATIONS_ARCHIVE_PASSING_STORE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PASSING_STORE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

// A place that hands every call to another one: for those that change one of
// them. As thread-safe as the other.
class PassingStore : public ObjectStore {
 public:
  explicit PassingStore(std::shared_ptr<ObjectStore> inner)
      : inner_(std::move(inner)) {}

  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override {
    return inner_->Describe(context, probe);
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

 protected:
  const std::shared_ptr<ObjectStore> inner_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PASSING_STORE_H_
