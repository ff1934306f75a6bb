#ifndef SLUICE_PLUGINS_HOST_ELF_CHECK_H_
#define SLUICE_PLUGINS_HOST_ELF_CHECK_H_

// What is checked of a shared object's headers before the system's loader maps
// it: that loader maps what they name without a look at the file's size, and
// what is mapped beyond its end raises SIGBUS, in a constructor or in the
// loader itself.
//
// Reads the file and program headers through the descriptor; maps nothing,
// allocates nothing that the file's numbers decide about.

#include <cstdint>

#include "absl/status/status.h"

namespace sluice {

// OK for a shared object for this machine whose segments all lie within
// `file_size`; else plugin_unusable.
absl::Status CheckElfFile(int descriptor, uint64_t file_size);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_ELF_CHECK_H_
