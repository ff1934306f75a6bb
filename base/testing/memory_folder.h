#ifndef SLUICE_BASE_TESTING_MEMORY_FOLDER_H_
#define SLUICE_BASE_TESTING_MEMORY_FOLDER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace sluice {

// A new folder PREFIX-XXXXXX of mode 0700, in memory (/dev/shm) where there is
// such a file system with 2 GiB to spare and programs may be run from it (in a
// container it often has 64 MiB, and is noexec), else below /tmp. For tests that
// make and sync thousands of files to see something else than the disk. Short
// enough for a socket in it. Empty where it cannot be made.
std::string MakeMemoryFolder(absl::string_view prefix);

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_MEMORY_FOLDER_H_
