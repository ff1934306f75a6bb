#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_SCRATCH_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_SCRATCH_H_

// What errors of the folder for temporary files mean.
//
//   if (mkdtemp(...) == nullptr) return ScratchError("make", folder, errno);

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/disk_error.h"
#include "sluice/base/error.h"

namespace sluice::postgres {

// "`what` `path`: ..." with the word that `error`, an errno, has there.
inline absl::Status ScratchError(absl::string_view what, absl::string_view path,
                                 int error) {
  constexpr DiskWords kWords = {
      kScratchNoSpace,
      kScratchPermissionDenied,
      kScratchUnavailable,
      "let TMPDIR name a folder with room for temporary files",
      "let TMPDIR name a folder where temporary files can be made",
      "let TMPDIR name a folder where temporary files can be made"};
  return DiskError(error, absl::StrCat(what, " ", path), kWords);
}

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_SCRATCH_H_
