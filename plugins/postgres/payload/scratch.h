#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_SCRATCH_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_SCRATCH_H_

// The folder for temporary files: which it is, and what its errors mean.
//
//   const std::string folder = ScratchFolder(options.scratch_folder);
//   if (mkdtemp(...) == nullptr) return ScratchError("make", folder, errno);

#include <errno.h>
#include <stdlib.h>

#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"

namespace sluice::postgres {

// `chosen`; empty: $TMPDIR, or /tmp.
inline std::string ScratchFolder(const std::string& chosen) {
  if (!chosen.empty()) return chosen;
  const char* const folder = getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

// "`what` `path`: ..." with the word that `error`, an errno, has there.
inline absl::Status ScratchError(absl::string_view what, absl::string_view path,
                                 int error) {
  const std::string message =
      absl::StrCat(what, " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) {
    return WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                              kScratchNoSpace, message),
                    "let TMPDIR name a folder with room for temporary files");
  }
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return WithHint(
      MakeError(denied ? absl::StatusCode::kPermissionDenied
                       : absl::StatusCode::kUnavailable,
                denied ? kScratchPermissionDenied : kScratchUnavailable,
                message),
      "let TMPDIR name a folder where temporary files can be made");
}

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_SCRATCH_H_
