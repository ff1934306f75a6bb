#ifndef SLUICE_PLUGINS_HOST_URI_H_
#define SLUICE_PLUGINS_HOST_URI_H_

// Where a store or a place is, as people type it:
//
//   memory:?load=/usr/include        kind memory, load=/usr/include
//   local:/mnt/backups               kind local, path=/mnt/backups
//   s3://bucket/a/b?region=eu        kind s3, authority=bucket, path=/a/b,
//                                    region=eu
//
// Everything after the kind is percent-decoded to bytes: %3F is a question mark
// in a path, %00 a NUL. '+' and '#' are themselves. A password in the authority
// (user:password@) is refused: secrets go by reference. Messages of errors show
// neither the authority nor a value.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const Uri uri, ParseUri("local:/mnt/backups"));
//   uri.kind;        // "local"
//   FormatUri(uri);  // "local:/mnt/backups"
//
// Pure functions over values, any thread, one pass.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice {

struct Uri {
  std::string kind;  // [a-z][a-z0-9_]{0,31}
  // In the order typed: "authority" and "path" where there are such, then the
  // query. Keys are not empty and distinct.
  std::vector<std::pair<std::string, std::string>> options;
};

inline constexpr size_t kMaxUriBytes = 64 << 10;

// INVALID_ARGUMENT (invalid_argument) with a hint where `text` is no such URI.
absl::StatusOr<Uri> ParseUri(absl::string_view text);

// A URI that parses to `uri` again.
std::string FormatUri(const Uri& uri);

// [a-z][a-z0-9_]{0,31}
bool IsKind(absl::string_view kind);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_URI_H_
