#include "sluice/service/http/server/origin.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::http {
namespace {

struct HostPort {
  absl::string_view host;
  absl::string_view port;  // empty where there is none
};

HostPort Split(absl::string_view text) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos ||
      (bracket != absl::string_view::npos && colon < bracket)) {
    return {text, ""};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// `text` with the port that its scheme implies left out.
std::string WithoutDefaultPort(absl::string_view text) {
  const HostPort parts = Split(text);
  return std::string(parts.port == "80" || parts.port == "443" ? parts.host
                                                               : text);
}

bool ChangesState(absl::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

}  // namespace

bool IsHostSyntax(absl::string_view host) {
  const HostPort parts = Split(host);
  absl::string_view name = parts.host;
  absl::string_view others = "-._";
  if (absl::ConsumePrefix(&name, "[")) {
    if (!absl::ConsumeSuffix(&name, "]")) return false;
    others = ":.";
  }
  if (name.empty() || parts.port.size() > 5) return false;
  return std::all_of(
             name.begin(), name.end(),
             [&](char c) {
               return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      others.find(c) != absl::string_view::npos;
             }) &&
         std::all_of(parts.port.begin(), parts.port.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

bool IsAllowedHost(absl::string_view host, int port, absl::string_view own,
                   const std::vector<std::string>& allowed) {
  const HostPort parts = Split(host);
  int said = 0;
  const bool is_our_port =
      parts.port.empty() ? port == 80 || port == 443
                         : absl::SimpleAtoi(parts.port, &said) && said == port;
  if (is_our_port) {
    for (const absl::string_view name :
         {absl::string_view("localhost"), absl::string_view("127.0.0.1"),
          absl::string_view("[::1]"), own}) {
      if (!name.empty() && absl::EqualsIgnoreCase(parts.host, name)) {
        return true;
      }
    }
  }
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const std::string& name) {
                       return absl::EqualsIgnoreCase(
                           Split(name).port.empty() ? parts.host : host, name);
                     });
}

bool IsAllowedOrigin(const Request& request, absl::string_view host,
                     const std::vector<std::string>& allowed) {
  const absl::optional<absl::string_view> origin =
      request.headers.Find("Origin");
  if (!origin.has_value()) {
    const absl::string_view site =
        request.headers.Find("Sec-Fetch-Site").value_or("none");
    return !ChangesState(request.method) ||
           absl::EqualsIgnoreCase(site, "none") ||
           absl::EqualsIgnoreCase(site, "same-origin");
  }
  for (const std::string& name : allowed) {
    if (absl::EqualsIgnoreCase(*origin, name)) return true;
  }
  absl::string_view page = *origin;
  if (!absl::ConsumePrefix(&page, "http://") &&
      !absl::ConsumePrefix(&page, "https://")) {
    return false;
  }
  return absl::EqualsIgnoreCase(WithoutDefaultPort(page),
                                WithoutDefaultPort(host));
}

}  // namespace sluice::http
