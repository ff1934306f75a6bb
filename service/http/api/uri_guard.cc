#include "sluice/service/http/api/uri_guard.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/message/problem.h"

namespace sluice::service {
namespace {

constexpr absl::string_view kReferences[] = {"env:", "file:", "cmd:", "exec:"};

bool HasDotDot(absl::string_view value) {
  const std::vector<absl::string_view> parts = absl::StrSplit(value, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

// '*' in `pattern` is any text. Both are short.
bool Fits(absl::string_view pattern, absl::string_view value) {
  size_t at_pattern = 0;
  size_t at_value = 0;
  size_t star = absl::string_view::npos;
  size_t star_value = 0;
  while (at_value < value.size()) {
    if (at_pattern < pattern.size() && pattern[at_pattern] == '*') {
      star = at_pattern++;
      star_value = at_value;
    } else if (at_pattern < pattern.size() &&
               pattern[at_pattern] == value[at_value]) {
      ++at_pattern;
      ++at_value;
    } else if (star != absl::string_view::npos) {
      at_pattern = star + 1;
      at_value = ++star_value;
    } else {
      return false;
    }
  }
  while (at_pattern < pattern.size() && pattern[at_pattern] == '*') {
    ++at_pattern;
  }
  return at_pattern == pattern.size();
}

bool ValueFits(absl::string_view pattern, absl::string_view value) {
  if (pattern == value) return true;
  if (HasDotDot(value)) return false;
  // What a reference names is written out before any '*'.
  if (IsReference(value) && !IsReference(pattern)) return false;
  return Fits(pattern, value);
}

bool UriFits(const Uri& pattern, const Uri& uri) {
  if (pattern.kind != uri.kind ||
      pattern.options.size() != uri.options.size()) {
    return false;
  }
  return std::all_of(
      uri.options.begin(), uri.options.end(), [&](const auto& option) {
        const auto other = std::find_if(
            pattern.options.begin(), pattern.options.end(),
            [&](const auto& entry) { return entry.first == option.first; });
        return other != pattern.options.end() &&
               ValueFits(other->second, option.second);
      });
}

}  // namespace

bool IsReference(absl::string_view value) {
  return std::any_of(std::begin(kReferences), std::end(kReferences),
                     [&](absl::string_view scheme) {
                       return absl::StartsWithIgnoreCase(value, scheme);
                     });
}

bool HasReference(absl::string_view uri) {
  const absl::StatusOr<Uri> parsed = ParseUri(uri);
  return parsed.ok() &&
         std::any_of(
             parsed->options.begin(), parsed->options.end(),
             [](const auto& option) { return IsReference(option.second); });
}

absl::StatusOr<UriPatterns> UriPatterns::Parse(
    const std::vector<std::string>& patterns, absl::string_view what) {
  UriPatterns parsed;
  for (const std::string& pattern : patterns) {
    absl::StatusOr<Uri> uri = ParseUri(pattern);
    if (!uri.ok()) return Annotate(uri.status(), what);
    parsed.patterns_.push_back(*std::move(uri));
  }
  return parsed;
}

bool UriPatterns::Allow(absl::string_view uri) const {
  const absl::StatusOr<Uri> parsed = ParseUri(uri);
  return parsed.ok() && std::any_of(patterns_.begin(), patterns_.end(),
                                    [&](const Uri& pattern) {
                                      return UriFits(pattern, *parsed);
                                    });
}

bool IsBeneathRoot(const UriFacts& facts, const std::string& root) {
  if (root.empty() || facts.paths.empty()) return false;
  std::error_code error;
  const auto real_root = std::filesystem::weakly_canonical(root, error);
  if (error) return false;
  return std::all_of(
      facts.paths.begin(), facts.paths.end(), [&](const auto& path) {
        std::error_code wrong;
        const auto real = std::filesystem::weakly_canonical(path.second, wrong);
        return !wrong && real != real_root &&
               IsWithin(real.string(), real_root.string());
      });
}

absl::Status Forbidden(absl::string_view what, absl::string_view hint) {
  return WithHint(
      MakeError(absl::StatusCode::kPermissionDenied, http::kForbidden, what),
      hint);
}

}  // namespace sluice::service
