#include "sluice/base/testing/thread_fault.h"

#include <string>

#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"

namespace sluice {
namespace {

struct RefusedStarts {
  Mutex mutex;
  std::string name ABSL_GUARDED_BY(mutex);
  int refused ABSL_GUARDED_BY(mutex) = 0;
};

RefusedStarts& TheRefusedStarts() {
  static RefusedStarts* const fault = new RefusedStarts();
  return *fault;
}

bool Refuses(absl::string_view name) {
  RefusedStarts& fault = TheRefusedStarts();
  MutexLock lock(fault.mutex);
  if (!fault.name.empty() && fault.name != name) return false;
  ++fault.refused;
  return true;
}

}  // namespace

ThreadFault::ThreadFault(absl::string_view name) {
  RefusedStarts& fault = TheRefusedStarts();
  {
    MutexLock lock(fault.mutex);
    fault.name = std::string(name);
    fault.refused = 0;
  }
  thread_internal::SetRefuses(Refuses);
}

ThreadFault::~ThreadFault() { thread_internal::SetRefuses(nullptr); }

int ThreadFault::refused() const {
  RefusedStarts& fault = TheRefusedStarts();
  MutexLock lock(fault.mutex);
  return fault.refused;
}

}  // namespace sluice
