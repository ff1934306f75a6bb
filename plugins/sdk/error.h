#ifndef SLUICE_PLUGINS_SDK_ERROR_H_
#define SLUICE_PLUGINS_SDK_ERROR_H_

// absl::Status on one side of the plugin ABI, sluice_error on the other.
//
// Canonical code, message, word, hint and whether a retry can help survive the
// crossing; text longer than its array is cut at a character.
//
// Example:
//
//   sluice_error error = EmptyError();
//   const sluice_code code =
//       source->describe(source->self, run, &info, &error);
//   const absl::Status status = FromError(code, error);
//
// Pure functions, any thread. Structs are the caller's, and borrowed. FillError
// allocates nothing.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/abi/sluice_plugin.h"

namespace sluice::sdk {

// An error struct as a caller must pass it.
inline sluice_error EmptyError() {
  sluice_error error{};
  error.struct_size = sizeof(error);
  return error;
}

inline sluice_bytes ToBytes(absl::string_view text) {
  return sluice_bytes{text.data(), text.size()};
}
inline absl::string_view ToView(sluice_bytes bytes) {
  return absl::string_view(static_cast<const char*>(bytes.data), bytes.size);
}

// Fills `error`, which may be null or shorter than ours, and returns `code`.
sluice_code FillError(sluice_error* error, sluice_code code,
                      absl::string_view word, absl::string_view message,
                      absl::string_view hint, bool retryable);

// The code of `status`; fills `error` unless it is OK.
sluice_code ToError(const absl::Status& status, sluice_error* error);

// The status for what a call returned. `error` is what it was given: an unknown
// code is UNKNOWN, a message without an end is cut, a missing one replaced.
absl::Status FromError(sluice_code code, const sluice_error& error);

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_ERROR_H_
