#ifndef SLUICE_PLUGINS_CONFORMANCE_TAPPED_STORE_H_
#define SLUICE_PLUGINS_CONFORMANCE_TAPPED_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/destinations/archive/object_store.h"

namespace sluice {

// A place whose payload objects (".../payload.bin...") pass by a tap, which may
// look, cancel a run, fail or damage. All else goes straight through.
struct PayloadTaps {
  // Before bytes are written; an error is the write's result.
  std::function<absl::Status(absl::string_view bytes)> on_write;
  // After bytes were read from `offset` of an object of `size` bytes; may
  // change them. An error is the read's result.
  std::function<absl::Status(absl::Span<char> bytes, uint64_t offset,
                             uint64_t size)>
      on_read;
};

// Thread-safe where the taps are.
std::shared_ptr<ObjectStore> TapStore(std::shared_ptr<ObjectStore> store,
                                      PayloadTaps taps);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_CONFORMANCE_TAPPED_STORE_H_
