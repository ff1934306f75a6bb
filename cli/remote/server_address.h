#ifndef SLUICE_CLI_REMOTE_SERVER_ADDRESS_H_
#define SLUICE_CLI_REMOTE_SERVER_ADDRESS_H_

// Which server a command works through, and how it shows who it is:
// --server, --token, --ca and their variables.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const ServerAddress address,
//                           ParseServer("https://backup.example.org:8470"));
//   SLUICE_ASSIGN_OR_RETURN(const std::string token,
//                           ResolveToken("file:/etc/sluice/token", false));
//
// Any thread. Errors are invalid_argument, and never hold a token.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice::cli {

struct ServerAddress {
  std::string origin;       // "https://host:port", no slash at its end
  std::string unix_socket;  // an absolute path; empty: by the origin's host
  // Without TLS, so that nothing may leave this machine.
  bool loopback_only = false;
  std::string text;  // for people: as it was given
};

// "unix:PATH", "https://HOST[:PORT]", or "http://HOST[:PORT]" of this machine.
absl::StatusOr<ServerAddress> ParseServer(absl::string_view text);

// The token behind "env:NAME" or "file:PATH". `may_be_literal`: it was given
// where nobody else reads it, in a variable, so that it may be the token itself.
absl::StatusOr<std::string> ResolveToken(absl::string_view text,
                                         bool may_be_literal);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_SERVER_ADDRESS_H_
