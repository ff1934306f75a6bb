#include "sluice/cli/remote/server_address.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/secret.h"

namespace sluice::cli {
namespace {

constexpr size_t kMaxTokenBytes = 512;
constexpr char kForms[] =
    "unix:/run/sluice/api.sock, https://HOST[:PORT], or http://127.0.0.1:8470 "
    "on this machine";

absl::Status WrongServer(absl::string_view why) {
  return InvalidArgument(absl::StrCat("--server ", why), kForms);
}

bool IsHost(absl::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
}

// HOST[:PORT], where an IPv6 address is in brackets.
absl::Status CheckAuthority(absl::string_view authority,
                            absl::string_view& host) {
  absl::string_view port;
  if (absl::StartsWith(authority, "[")) {
    const size_t end = authority.find(']');
    if (end == absl::string_view::npos) return WrongServer("has no \"]\"");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    port = authority.substr(host.size());
  }
  if (!IsHost(host) || absl::StrContains(host, '[')) {
    return WrongServer("names no host");
  }
  if (port.empty()) return absl::OkStatus();
  uint32_t number = 0;
  if (!absl::ConsumePrefix(&port, ":") || !absl::SimpleAtoi(port, &number) ||
      number == 0 || number > 65535) {
    return WrongServer("has no port from 1 to 65535");
  }
  return absl::OkStatus();
}

bool IsThisMachine(absl::string_view host) {
  return host == "localhost" || host == "::1" ||
         (absl::StartsWith(host, "127.") &&
          std::all_of(host.begin(), host.end(), [](char c) {
            return c == '.' ||
                   absl::ascii_isdigit(static_cast<unsigned char>(c));
          }));
}

absl::StatusOr<ServerAddress> ParseUrl(absl::string_view text) {
  ServerAddress address;
  const size_t scheme_end = text.find("://") + 3;
  absl::string_view authority = text.substr(scheme_end);
  absl::ConsumeSuffix(&authority, "/");
  if (absl::StrContains(authority, '@')) {
    // It may hold a password: not said again.
    return InvalidArgument("--server holds a user or a password",
                           "who asks is said by --token");
  }
  if (authority.find_first_of("/?#\\") != absl::string_view::npos) {
    return WrongServer("has more than a host and a port");
  }
  absl::string_view host;
  SLUICE_RETURN_IF_ERROR(CheckAuthority(authority, host));
  address.loopback_only = absl::StartsWith(text, "http://");
  if (address.loopback_only && !IsThisMachine(host)) {
    return InvalidArgument(
        absl::StrCat("--server http://", host,
                     ": without TLS anybody on the way reads the token"),
        "https://, or an address of this machine, as an ssh tunnel has one");
  }
  address.origin = absl::StrCat(text.substr(0, scheme_end), authority);
  address.text = address.origin;
  return address;
}

}  // namespace

absl::StatusOr<ServerAddress> ParseServer(absl::string_view text) {
  absl::string_view path = text;
  if (absl::ConsumePrefix(&path, "unix:")) {
    ServerAddress address;
    SLUICE_ASSIGN_OR_RETURN(address.unix_socket, AbsolutePath(path));
    address.origin = "http://localhost";
    address.text = absl::StrCat("unix:", address.unix_socket);
    return address;
  }
  if (absl::StartsWith(text, "https://") || absl::StartsWith(text, "http://")) {
    return ParseUrl(text);
  }
  return WrongServer("is neither unix:PATH nor a URL");
}

absl::StatusOr<std::string> ResolveToken(absl::string_view text,
                                         bool may_be_literal) {
  std::string token(text);
  if (absl::StartsWith(text, "env:") || absl::StartsWith(text, "file:")) {
    SLUICE_ASSIGN_OR_RETURN(token, ResolveSecret(text));
    token = std::string(absl::StripAsciiWhitespace(token));
  } else if (!may_be_literal) {
    // Others have read it already: not said again.
    return InvalidArgument(
        "--token is neither env:NAME nor file:PATH; a command line is read by "
        "everybody on this machine",
        "if it was a token, `sluice token revoke` it");
  }
  const bool is_plain =
      !token.empty() && token.size() <= kMaxTokenBytes &&
      std::all_of(token.begin(), token.end(), [](char c) {
        return absl::ascii_isgraph(static_cast<unsigned char>(c));
      });
  if (is_plain) return token;
  return InvalidArgument("the token is empty, too long or not plain text",
                         "as `sluice token create` printed it");
}

}  // namespace sluice::cli
