#ifndef SLUICE_EXECUTOR_STREAM_WARNING_LIST_H_
#define SLUICE_EXECUTOR_STREAM_WARNING_LIST_H_

// The warnings of one run, as many and as long as a manifest or a job's row can
// hold: of those beyond it only their number is kept. What comes in may be any
// bytes; what goes out is valid UTF-8, a code without spaces.
//
//   WarningList warnings;
//   store->Restore(context, store_id, chain, warnings);
//   for (const PayloadWarning& warning : warnings.All()) ...
//
// Thread-safe, cheap.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/payload.h"

namespace sluice {

class WarningList final : public WarningSink {
 public:
  void AddWarning(absl::string_view code, absl::string_view message) override;
  // In the order in which they came; the last may be "warnings_dropped".
  std::vector<PayloadWarning> All() const;

 private:
  mutable Mutex mutex_;
  std::vector<PayloadWarning> warnings_ ABSL_GUARDED_BY(mutex_);
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_STREAM_WARNING_LIST_H_
