#ifndef SLUICE_SERVICE_HTTP_SERVER_ORIGIN_H_
#define SLUICE_SERVICE_HTTP_SERVER_ORIGIN_H_

// For whom a request was meant, and from which page it comes: what keeps a
// page of the web from speaking to a server on its visitor's own machine, by a
// name that it lets resolve to 127.0.0.1 (DNS rebinding) or by a form sent
// across sites.
//
// Pure; any thread.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/service/http/message/request.h"

namespace sluice::http {

// Whether `host`, a header Host or the authority of an absolute target, is
// "name", "name:port", an IPv4 address or a bracketed IPv6 one, each perhaps
// with a port.
bool IsHostSyntax(absl::string_view host);

// Whether `host` is "localhost", 127.0.0.1, [::1] or `own`, with `port`, or
// one of `allowed`: "name" with any port or none, "name:port" as it is.
bool IsAllowedHost(absl::string_view host, int port, absl::string_view own,
                   const std::vector<std::string>& allowed);

// Whether the page that sent the request is one of `host`'s own, is one of
// `allowed` ("https://admin.example.org"), or none at all (curl, the command).
// The scheme is not compared: behind a proxy that ends TLS they differ.
bool IsAllowedOrigin(const Request& request, absl::string_view host,
                     const std::vector<std::string>& allowed);

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_ORIGIN_H_
