#ifndef SLUICE_BASE_TEXT_SUGGEST_H_
#define SLUICE_BASE_TEXT_SUGGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sluice {

// "did you mean \"x\"?" for the candidate nearest to `word`, where one is near
// (at most a third of its letters differ, or one begins with the other), else
// empty. For the hint of an error about a mistyped word.
std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& candidates);

}  // namespace sluice

#endif  // SLUICE_BASE_TEXT_SUGGEST_H_
