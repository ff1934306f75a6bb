#include "sluice/plugins/host/uri.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

absl::Status Malformed(absl::string_view message, absl::string_view hint) {
  return InvalidArgument(message, hint);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

absl::StatusOr<std::string> PercentDecode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Malformed("a '%' in a URI must be followed by two hex digits",
                       "write a percent sign as %25");
    }
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

// Leaves what a path or value may hold as it is; the rest becomes %XX.
std::string PercentEncode(absl::string_view bytes, absl::string_view keep) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-._~", c) ||
        absl::StrContains(keep, c)) {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

// "user:password@host", wherever it was typed.
bool HoldsPassword(absl::string_view authority) {
  const size_t at = authority.rfind('@');
  return at != absl::string_view::npos &&
         absl::StrContains(authority.substr(0, at), ':');
}

absl::Status Add(Uri& uri, std::string key, std::string value) {
  for (const auto& option : uri.options) {
    if (option.first == key) {
      return Malformed(absl::StrCat("option \"", key, "\" is given twice"),
                       "give each option once");
    }
  }
  if (key == "authority" && HoldsPassword(value)) {
    return Malformed("a URI must not hold a password",
                     "give secrets by reference: env:NAME, file:/path or "
                     "cmd:COMMAND, as the option that takes it");
  }
  uri.options.emplace_back(std::move(key), std::move(value));
  return absl::OkStatus();
}

absl::Status AddAuthority(Uri& uri, absl::string_view authority) {
  SLUICE_ASSIGN_OR_RETURN(std::string decoded, PercentDecode(authority));
  return Add(uri, "authority", std::move(decoded));
}

absl::Status AddRest(Uri& uri, absl::string_view rest) {
  if (absl::ConsumePrefix(&rest, "//")) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    SLUICE_RETURN_IF_ERROR(AddAuthority(uri, rest.substr(0, slash)));
    rest.remove_prefix(slash);
  }
  if (rest.empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(std::string path, PercentDecode(rest));
  return Add(uri, "path", std::move(path));
}

absl::Status AddQuery(Uri& uri, absl::string_view query) {
  for (const absl::string_view option :
       absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const size_t equals = option.find('=');
    if (equals == absl::string_view::npos || equals == 0) {
      return Malformed("each option after '?' must be key=value",
                       "write a question mark within a path as %3F, '&' "
                       "within a value as %26");
    }
    SLUICE_ASSIGN_OR_RETURN(std::string key,
                            PercentDecode(option.substr(0, equals)));
    SLUICE_ASSIGN_OR_RETURN(std::string value,
                            PercentDecode(option.substr(equals + 1)));
    SLUICE_RETURN_IF_ERROR(Add(uri, std::move(key), std::move(value)));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsKind(absl::string_view kind) {
  if (kind.empty() || kind.size() > 32) return false;
  if (!absl::ascii_islower(static_cast<unsigned char>(kind[0]))) return false;
  return std::all_of(kind.begin(), kind.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  });
}

absl::StatusOr<Uri> ParseUri(absl::string_view text) {
  if (text.size() > kMaxUriBytes)
    return Malformed("a URI is longer than 64 KiB", "");
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos || !IsKind(text.substr(0, colon))) {
    return Malformed("a URI must begin with its kind and a colon",
                     "for example local:/mnt/backups or memory:?load=/etc");
  }
  Uri uri;
  uri.kind = std::string(text.substr(0, colon));
  absl::string_view rest = text.substr(colon + 1);
  const size_t question = std::min(rest.find('?'), rest.size());
  SLUICE_RETURN_IF_ERROR(AddRest(uri, rest.substr(0, question)));
  rest.remove_prefix(question);
  if (absl::ConsumePrefix(&rest, "?"))
    SLUICE_RETURN_IF_ERROR(AddQuery(uri, rest));
  return uri;
}

std::string FormatUri(const Uri& uri) {
  std::string authority, path, query;
  bool has_authority = false, has_path = false;
  for (const auto& [key, value] : uri.options) {
    if (key == "authority") {
      has_authority = true;
      authority = PercentEncode(value, ":@,[]");
    } else if (key == "path") {
      has_path = true;
      path = value;
    } else {
      absl::StrAppend(&query, query.empty() ? "?" : "&", PercentEncode(key, ""),
                      "=", PercentEncode(value, "/:@,"));
    }
  }
  // After an authority a path must begin with '/'; without one it must not look
  // like one. Both travel in the query otherwise.
  const bool path_in_rest = has_path && !path.empty() &&
                            (has_authority ? absl::StartsWith(path, "/")
                                           : !absl::StartsWith(path, "//"));
  if (has_path && !path_in_rest) {
    query =
        absl::StrCat("?path=", PercentEncode(path, "/:@,"),
                     query.empty() ? "" : "&", absl::StripPrefix(query, "?"));
  }
  return absl::StrCat(uri.kind, ":", has_authority ? "//" : "", authority,
                      path_in_rest ? PercentEncode(path, "/+#:@=&") : "",
                      query);
}

}  // namespace sluice
