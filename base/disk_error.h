#ifndef SLUICE_BASE_DISK_ERROR_H_
#define SLUICE_BASE_DISK_ERROR_H_

// What an errno of a file or folder of ours says, in the words that its room
// has for it.
//
//   constexpr DiskWords kWords = {kScratchNoSpace, kScratchPermissionDenied,
//                                 kScratchUnavailable, "make room", ...};
//   return DiskError(errno, absl::StrCat("write ", path), kWords);
//
// Pure.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice {

struct DiskWords {
  absl::string_view no_space;
  absl::string_view denied;
  absl::string_view unavailable;  // all else
  absl::string_view no_space_hint;
  absl::string_view denied_hint;
  absl::string_view unavailable_hint;
};

// RESOURCE_EXHAUSTED, PERMISSION_DENIED (also of a read-only file system) or
// UNAVAILABLE: "`what`: No space left on device".
absl::Status DiskError(int error, absl::string_view what,
                       const DiskWords& words);

}  // namespace sluice

#endif  // SLUICE_BASE_DISK_ERROR_H_
