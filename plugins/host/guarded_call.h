#ifndef SLUICE_PLUGINS_HOST_GUARDED_CALL_H_
#define SLUICE_PLUGINS_HOST_GUARDED_CALL_H_

#include <utility>

#include "absl/status/status.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/barrier.h"

namespace sluice {

// What one call of a plugin's table, `body`, answered. A plugin that throws has
// broken the ABI; we survive it where we can.
template <typename Body>
sluice_code GuardedCall(sluice_error* error, Body&& body) {
  sluice_code code = SLUICE_INTERNAL;
  const sluice_code thrown = sdk::Guarded(error, [&] {
    code = std::forward<Body>(body)(error);
    return absl::OkStatus();
  });
  return thrown == SLUICE_OK ? code : thrown;
}

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_GUARDED_CALL_H_
