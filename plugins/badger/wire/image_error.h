#ifndef SLUICE_PLUGINS_BADGER_WIRE_IMAGE_ERROR_H_
#define SLUICE_PLUGINS_BADGER_WIRE_IMAGE_ERROR_H_

// What can be wrong with a Badger directory, as statuses. `object` is a file's
// name, or a key; `what` ends the sentence "object: what". Any thread.

#include <errno.h>
#include <string.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"

namespace sluice {
namespace badger {

inline constexpr char kMissingLogPayload[] = "sluice.badger/missing-log";

// Bytes that are not what their checksum, their length or their format says.
inline absl::Status Damaged(absl::string_view object, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, kSourceFailed,
                   absl::StrCat(object, ": ", what));
}

// A reference to what is not there. Of an obsolete version that is no damage:
// the value log's collector drops the values of those.
inline absl::Status Dangling(absl::string_view object, absl::string_view what) {
  return MakeError(absl::StatusCode::kNotFound, kSourceFailed,
                   absl::StrCat(object, ": ", what));
}
inline bool IsDangling(const absl::Status& status) {
  return absl::IsNotFound(status);
}

// Another format than those that this program reads.
inline absl::Status Unreadable(absl::string_view object,
                               absl::string_view what) {
  return MakeError(absl::StatusCode::kUnimplemented, kSourceUnsupported,
                   absl::StrCat(object, ": ", what));
}

// A call of the file system that failed: "open 000001.sst: Permission denied".
// ENOENT is NOT_FOUND.
inline absl::Status SourceIoError(absl::string_view operation,
                                  absl::string_view name, int error) {
  const std::string message =
      absl::StrCat(operation, " ", name, ": ", strerror(error));
  if (error == EACCES || error == EPERM) {
    return MakeError(absl::StatusCode::kPermissionDenied,
                     kSourcePermissionDenied, message);
  }
  return MakeError(error == ENOENT ? absl::StatusCode::kNotFound
                                   : absl::StatusCode::kUnavailable,
                   kSourceUnavailable, message);
}

// The same of the folder for temporary files.
inline absl::Status ScratchIoError(absl::string_view operation,
                                   absl::string_view name, int error) {
  const std::string message =
      absl::StrCat(operation, " ", name, ": ", strerror(error));
  if (error == ENOSPC || error == EDQUOT) {
    return WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                              kScratchNoSpace, message),
                    "scratch=DIR names another folder; mode=offline needs "
                    "none");
  }
  if (error == EACCES || error == EPERM) {
    return WithHint(MakeError(absl::StatusCode::kPermissionDenied,
                              kScratchPermissionDenied, message),
                    "scratch=DIR names another folder");
  }
  return MakeError(absl::StatusCode::kUnavailable, kScratchUnavailable,
                   message);
}

// A value log that is to be replayed, or that a value is in, is not there. In a
// directory that is written meanwhile it may have gone since MANIFEST was read.
inline absl::Status MissingLog(absl::string_view name, absl::string_view what) {
  absl::Status status =
      WithHint(Damaged(name, what),
               "value_dir=DIR names the folder of the value log, "
               "where that is another one");
  status.SetPayload(kMissingLogPayload, absl::Cord());
  return status;
}
inline bool IsMissingLog(const absl::Status& status) {
  return status.GetPayload(kMissingLogPayload).has_value();
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_WIRE_IMAGE_ERROR_H_
