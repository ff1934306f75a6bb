#ifndef SLUICE_TESTS_FAULTS_LATER_STORE_H_
#define SLUICE_TESTS_FAULTS_LATER_STORE_H_

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/passing_store.h"
#include "sluice/executor/context.h"

namespace sluice {

// The place as it would be some hours on: its clock, and the time that it gives
// to what is written through this object. What was there keeps its time.
class LaterStore final : public PassingStore {
 public:
  LaterStore(std::shared_ptr<ObjectStore> inner, absl::Duration later)
      : PassingStore(std::move(inner)), later_(later) {}

  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override {
    SLUICE_ASSIGN_OR_RETURN(PlaceInfo info, inner_->Describe(context, probe));
    info.now += later_;
    return info;
  }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Context& context,
                                                      absl::string_view name,
                                                      uint64_t hint) override {
    {
      MutexLock lock(mutex_);
      written_.insert(std::string(name));
    }
    return inner_->Begin(context, name, hint);
  }
  absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                  absl::string_view name) override {
    SLUICE_ASSIGN_OR_RETURN(ObjectInfo info, inner_->Stat(context, name));
    return Later(std::move(info));
  }
  absl::Status List(const Context& context, absl::string_view prefix,
                    const Callback& callback) override {
    return inner_->List(context, prefix, [&](const ObjectInfo& info) {
      return callback(Later(info));
    });
  }

 private:
  ObjectInfo Later(ObjectInfo info) {
    MutexLock lock(mutex_);
    if (written_.count(info.name) > 0) info.modified += later_;
    return info;
  }

  const absl::Duration later_;
  Mutex mutex_;
  std::set<std::string> written_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_TESTS_FAULTS_LATER_STORE_H_
