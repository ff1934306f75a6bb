#include "sluice/destinations/archive/start_thread.h"

#include <system_error>
#include <utility>

#include "sluice/base/error.h"

namespace sluice {

absl::StatusOr<std::thread> StartThread(std::function<void()> body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error&) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     "the system gives no more threads");
  }
}

}  // namespace sluice
