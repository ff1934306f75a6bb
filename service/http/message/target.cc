#include "sluice/service/http/message/target.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/text/utf8.h"

namespace sluice::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What may stand in a path's segment or a query as it is: RFC 3986's pchar,
// but for '%'.
bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("-._~!$&'()*+,;=:@").find(c) !=
             absl::string_view::npos;
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

// `text` with its escapes resolved; `also` may stand unescaped beside IsPlain.
absl::StatusOr<std::string> Decode(absl::string_view text,
                                   absl::string_view what,
                                   absl::string_view also, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return InvalidArgument(
            absl::StrCat(what, ": a '%' is not followed by two hex digits"),
            "write a '%' itself as %25");
      }
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else if (c == '+' && plus_is_space) {
      decoded.push_back(' ');
    } else if (IsPlain(c) || also.find(c) != absl::string_view::npos) {
      decoded.push_back(c);
    } else {
      return InvalidArgument(
          absl::StrCat(what, ": holds a character that must be escaped"),
          "escape all but letters, digits and -._~ as %XX");
    }
  }
  if (!IsUtf8(decoded)) {
    return InvalidArgument(absl::StrCat(what, ": is not UTF-8"));
  }
  if (HasControl(decoded)) {
    return InvalidArgument(absl::StrCat(what, ": holds a control character"));
  }
  return decoded;
}

absl::StatusOr<std::vector<std::string>> ParsePath(absl::string_view path) {
  if (!absl::ConsumePrefix(&path, "/")) {
    return InvalidArgument("the path does not begin with '/'");
  }
  std::vector<std::string> segments;
  if (path.empty()) return segments;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (segments.size() == kMaxPathSegments) {
      return InvalidArgument("the path has too many segments");
    }
    SLUICE_ASSIGN_OR_RETURN(std::string segment,
                            Decode(part, "the path", "", false));
    if (segment == "." || segment == "..") {
      return InvalidArgument("the path holds a segment \".\" or \"..\"");
    }
    segments.push_back(std::move(segment));
  }
  return segments;
}

// The name as a message may show it.
std::string Named(absl::string_view name) {
  constexpr size_t kMostShown = 64;
  return absl::StrCat("the query's parameter \"", name.substr(0, kMostShown),
                      name.size() > kMostShown ? "…" : "", "\"");
}

}  // namespace

absl::optional<std::string> Query::Find(absl::string_view name) const {
  for (const Parameter& parameter : parameters_) {
    if (parameter.first == name) return parameter.second;
  }
  return absl::nullopt;
}

absl::Status Query::RefuseOthers(
    absl::Span<const absl::string_view> known) const {
  for (const Parameter& parameter : parameters_) {
    if (std::find(known.begin(), known.end(), parameter.first) == known.end()) {
      return InvalidArgument(
          absl::StrCat(Named(parameter.first), " is not known here"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Query> ParseQuery(absl::string_view query) {
  std::vector<Query::Parameter> parameters;
  if (query.empty()) return Query();
  for (const absl::string_view part : absl::StrSplit(query, '&')) {
    if (parameters.size() == kMaxQueryParameters) {
      return InvalidArgument("the query has too many parameters");
    }
    const size_t equals = part.find('=');
    SLUICE_ASSIGN_OR_RETURN(
        std::string name,
        Decode(part.substr(0, equals), "the name of a query's parameter", "/?",
               true));
    if (name.empty()) {
      return InvalidArgument("the query has a parameter without a name");
    }
    std::string value;
    if (equals != absl::string_view::npos) {
      SLUICE_ASSIGN_OR_RETURN(
          value, Decode(part.substr(equals + 1), Named(name), "/?", true));
    }
    for (const Query::Parameter& other : parameters) {
      if (other.first == name) {
        return InvalidArgument(absl::StrCat(Named(name), " is given twice"));
      }
    }
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return Query(std::move(parameters));
}

absl::StatusOr<RequestTarget> ParseRequestTarget(absl::string_view target) {
  RequestTarget parsed;
  if (target == "*") {
    parsed.is_asterisk = true;
    return parsed;
  }
  if (absl::StartsWithIgnoreCase(target, "http://") ||
      absl::StartsWithIgnoreCase(target, "https://")) {
    target.remove_prefix(target.find("://") + 3);
    const size_t end = std::min(target.find_first_of("/?"), target.size());
    parsed.authority = std::string(target.substr(0, end));
    target.remove_prefix(end);
    if (target.empty()) target = "/";
  }
  const size_t question = target.find('?');
  SLUICE_ASSIGN_OR_RETURN(parsed.path, ParsePath(target.substr(0, question)));
  if (question != absl::string_view::npos) {
    SLUICE_ASSIGN_OR_RETURN(parsed.query,
                            ParseQuery(target.substr(question + 1)));
  }
  return parsed;
}

}  // namespace sluice::http
