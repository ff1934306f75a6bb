#ifndef SLUICE_PLUGINS_SDK_WORKERS_H_
#define SLUICE_PLUGINS_SDK_WORKERS_H_

// Work on several threads at once, which has ended when the call returns.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(sdk::ForEach(files.size(), 4, [&](size_t i) {
//     return Copy(files[i]);
//   }));
//
// The result is the first failure in time; an exception is one, too. Where the
// system gives no more threads, those that there are do all of the work.
//
// Any thread; blocks. What is passed in is borrowed for the call. Costs a
// thread for each worker but the first, and for ForEach an atomic addition an
// item.

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace sluice::sdk {

// Whether the threads beside the caller's are there only to be faster: then
// they leave the processors to whoever else wants them (nice(2), by 10).
enum class Helpers { kAsTheCaller, kGiveWay };

// Calls `work` with 0, 1 … `workers` - 1, each on a thread of its own, 0 on the
// caller's. `stop` is called once, by the first that fails, so that the others
// return; it must not call back.
absl::Status RunWorkers(int workers,
                        absl::FunctionRef<absl::Status(int worker)> work,
                        absl::FunctionRef<void()> stop,
                        Helpers helpers = Helpers::kAsTheCaller);

// Calls `work` for each of 0, 1 … `count` - 1, begun in this order by up to
// `workers` threads. After a failure none is begun; `stop` as above.
absl::Status ForEach(
    size_t count, int workers, absl::FunctionRef<absl::Status(size_t i)> work,
    Helpers helpers = Helpers::kAsTheCaller,
    absl::FunctionRef<void()> stop = [] {});

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_WORKERS_H_
