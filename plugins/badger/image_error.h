#ifndef SLUICE_PLUGINS_BADGER_IMAGE_ERROR_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_ERROR_H_

// What can be wrong with a Badger directory, as statuses. `object` is a file's
// name, or a key; `what` ends the sentence "object: what". Any thread.

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"

namespace sluice {
namespace badger {

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
  return MakeError(absl::StatusCode::kUnimplemented, kSourceUnavailable,
                   absl::StrCat(object, ": ", what));
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_ERROR_H_
