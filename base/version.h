#ifndef SLUICE_BASE_VERSION_H_
#define SLUICE_BASE_VERSION_H_

#include "absl/strings/string_view.h"

namespace sluice {

// Of the program and its libraries (semver). The versions of what is stored and
// of the plugin ABI are their own.
inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace sluice

#endif  // SLUICE_BASE_VERSION_H_
