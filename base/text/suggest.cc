#include "sluice/base/text/suggest.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sluice {
namespace {

// Edits (insert, delete, replace, swap of neighbours) that lead from a to b.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1),
      row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({row[j - 1] + 1, last[j] + 1,
                         last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& candidates) {
  // Words of people are short; a long one is no typing error.
  if (word.empty() || word.size() > 64) return "";
  const std::string* nearest = nullptr;
  size_t least = 0;
  for (const std::string& candidate : candidates) {
    const bool begins =
        absl::StartsWith(candidate, word) || absl::StartsWith(word, candidate);
    const size_t distance = begins ? 1 : Distance(word, candidate);
    const size_t allowed =
        std::max<size_t>(1, std::max(word.size(), candidate.size()) / 3);
    if (candidate.empty() || distance > allowed) continue;
    if (nearest == nullptr || distance < least) {
      nearest = &candidate;
      least = distance;
    }
  }
  return nearest == nullptr ? ""
                            : absl::StrCat("did you mean \"", *nearest, "\"?");
}

}  // namespace sluice
