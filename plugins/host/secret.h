#ifndef SLUICE_PLUGINS_HOST_SECRET_H_
#define SLUICE_PLUGINS_HOST_SECRET_H_

// Secrets by reference, so that none stands on a command line, in a catalog or
// in a log:
//
//   env:NAME      an environment variable
//   file:/path    a file's content, without one newline at its end
//   cmd:COMMAND   what `/bin/sh -c COMMAND` prints, without one newline at its
//                 end; anything but exit status 0 is an error
//
// Blocks for as long as the file or command does. Thread-safe as far as the
// environment is not changed meanwhile.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice {

inline constexpr size_t kMaxSecretBytes = 64 << 10;

// The secret. Errors name the reference, never a secret; a `reference` that is
// none is not repeated either, because it may be the secret itself.
absl::StatusOr<std::string> ResolveSecret(absl::string_view reference);

// Whether `text` has the form of a reference.
bool IsSecretReference(absl::string_view text);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_SECRET_H_
