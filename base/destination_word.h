#ifndef SLUICE_BASE_DESTINATION_WORD_H_
#define SLUICE_BASE_DESTINATION_WORD_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"

namespace sluice {

// The word of an error that a destination gave without one, where its code
// alone says which that is; else empty. Pure.
inline absl::string_view DestinationWord(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kPermissionDenied:
      return kDestinationPermissionDenied;
    case absl::StatusCode::kUnauthenticated:
      return kDestinationCredentialsInvalid;
    case absl::StatusCode::kNotFound:
      return kDestinationNotFound;
    case absl::StatusCode::kUnavailable:
      return kDestinationUnreachable;
    case absl::StatusCode::kUnimplemented:
      return kDestinationUnsupported;
    default:
      return "";
  }
}

}  // namespace sluice

#endif  // SLUICE_BASE_DESTINATION_WORD_H_
