#ifndef SLUICE_BASE_TESTING_FEED_H_
#define SLUICE_BASE_TESTING_FEED_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice {

// `bytes` into a parser that takes them however they are cut, `piece` of them
// at a time. Aborts where it takes more after it has refused. Test code only.
template <typename Parser>
absl::Status FeedInPieces(Parser& parser, absl::string_view bytes,
                          size_t piece) {
  absl::Status status;
  while (status.ok() && !bytes.empty()) {
    status = parser.Feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  if (!status.ok() && parser.Feed("E") != status) std::abort();
  return status.ok() ? parser.Finish() : status;
}

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_FEED_H_
