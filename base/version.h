#ifndef SLUICE_BASE_VERSION_H_
#define SLUICE_BASE_VERSION_H_

#include "absl/strings/string_view.h"

namespace sluice {

// Of the program and its libraries (semver), said here alone;
// //tests:version_test compares it with the changelog. The versions of what is
// stored, of the plugin ABI and of each plugin are their own.
inline constexpr absl::string_view kVersion = "0.1.0";

}  // namespace sluice

#endif  // SLUICE_BASE_VERSION_H_
