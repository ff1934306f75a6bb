#include "sluice/base/disk_error.h"

#include <errno.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {

absl::Status DiskError(int error, absl::string_view what,
                       const DiskWords& words) {
  const std::string message = absl::StrCat(what, ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                                words.no_space, message),
                      words.no_space_hint);
    case EACCES:
    case EPERM:
    case EROFS:
      return WithHint(
          MakeError(absl::StatusCode::kPermissionDenied, words.denied, message),
          words.denied_hint);
    default:
      return WithHint(
          MakeError(absl::StatusCode::kUnavailable, words.unavailable, message),
          words.unavailable_hint);
  }
}

}  // namespace sluice
