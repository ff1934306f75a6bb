#ifndef SLUICE_DESTINATIONS_LOCAL_ERRORS_H_
#define SLUICE_DESTINATIONS_LOCAL_ERRORS_H_

// What each errno of a place means, as a status with a word for machines.
//
//   errno                                   word
//   ENOSPC EDQUOT EMLINK                    destination_no_space
//   EACCES EPERM                            destination_permission_denied
//   EROFS                                   destination_read_only
//   ENOENT                                  destination_not_found
//   ENOTDIR EISDIR ELOOP EEXIST ENOTEMPTY
//   EXDEV                                   destination_path_conflict
//   EFBIG                                   destination_too_large
//   ENAMETOOLONG                            destination_config_invalid
//   EINVAL ENOSYS EOPNOTSUPP                destination_unsupported
//   ETIMEDOUT ENOTCONN EHOSTDOWN
//   EHOSTUNREACH ENETUNREACH ECONNREFUSED   destination_unreachable
//   EMFILE ENFILE ENOMEM ENOBUFS            resource_exhausted
//   EIO ESTALE and all others               destination_io_error
//
// Pure, any thread.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice {

// "`operation` `path`: cause". `error` must not be 0.
absl::Status ErrnoError(absl::string_view operation, absl::string_view path,
                        int error);

// `cause`, with word and hint, as UNKNOWN: whether it was done or not, nobody
// can say.
absl::Status Uncertain(const absl::Status& cause);

// Whether `error` says that the file system lacks the call, rather than that
// the call failed.
bool IsUnsupported(int error);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_ERRORS_H_
