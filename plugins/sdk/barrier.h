#ifndef SLUICE_PLUGINS_SDK_BARRIER_H_
#define SLUICE_PLUGINS_SDK_BARRIER_H_

// The exception barrier: no exception crosses the plugin ABI, in either
// direction.
//
// We throw none ourselves; what is below us (the standard library, a database's
// client, the code of a plugin's author) may. Every function of ours that
// stands in a C table runs its body in here.
//
// Example, at namespace scope:
//
//   sluice_code Destroy(void* self, sluice_error* error) {
//     return Guarded(error, [&]() -> absl::Status {
//       delete static_cast<Orders*>(self);
//       return absl::OkStatus();
//     });
//   }
//
// Any thread. `error` is the caller's and borrowed. Costs nothing where nothing
// is thrown.

#include <cxxabi.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "sluice/base/error.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice::sdk {

// Runs `body` (returns absl::Status). std::bad_alloc becomes
// RESOURCE_EXHAUSTED, any other exception INTERNAL with its text. The handlers
// allocate nothing. A thread that is being ended (pthread_exit, pthread_cancel)
// is let through: glibc aborts the process where its unwinding is stopped.
template <typename Body>
sluice_code Guarded(sluice_error* error, Body&& body) {
  try {
    return ToError(std::forward<Body>(body)(), error);
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::bad_alloc&) {
    return FillError(error, SLUICE_RESOURCE_EXHAUSTED, kResourceExhausted,
                     "out of memory", "", false);
  } catch (const std::exception& exception) {
    return FillError(error, SLUICE_INTERNAL, kInternal, exception.what(),
                     "an exception reached the plugin boundary", false);
  } catch (...) {
    return FillError(error, SLUICE_INTERNAL, kInternal,
                     "an exception not derived from std::exception",
                     "an exception reached the plugin boundary", false);
  }
}

// How many exceptions GuardedQuietly has swallowed in this process, in this
// shared object. Any thread.
inline std::atomic<uint64_t> swallowed_exceptions = 0;

// For functions without a result: an exception is swallowed, and counted.
template <typename Body>
void GuardedQuietly(Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {  // nobody to tell
    swallowed_exceptions.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_BARRIER_H_
