#ifndef SLUICE_DESTINATIONS_ARCHIVE_START_THREAD_H_
#define SLUICE_DESTINATIONS_ARCHIVE_START_THREAD_H_

#include <functional>
#include <thread>  // NOLINT

#include "absl/status/statusor.h"

namespace sluice {

// A thread that runs `body`; RESOURCE_EXHAUSTED where the system gives none
// (the standard library would throw). The caller joins it.
absl::StatusOr<std::thread> StartThread(std::function<void()> body);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_START_THREAD_H_
