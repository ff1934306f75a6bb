#ifndef SLUICE_BASE_PIECE_PARSER_H_
#define SLUICE_BASE_PIECE_PARSER_H_

// What parsers have in common whose bytes come cut into whatever pieces: the
// field that is gathered from them, how far they are, and an error for good.
//
//   class LineParser final : public PieceParser {
//     absl::Status Step(absl::string_view& bytes) override {
//       absl::string_view field;
//       if (!Gather(80, bytes, field)) return absl::OkStatus();
//       ...
//       gathered_.clear();
//     }
//   };
//
// One thread. Holds the longest field that is gathered.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice {

class PieceParser {
 public:
  virtual ~PieceParser() = default;

  // The first error of a step is that of each call from there on.
  absl::Status Feed(absl::string_view bytes) {
    while (failed_.ok() && !bytes.empty()) failed_ = Step(bytes);
    return failed_;
  }

 protected:
  // Consumes some of `bytes`, or all.
  virtual absl::Status Step(absl::string_view& bytes) = 0;

  // The next `wanted` bytes as one view, from `bytes` or gathered; false: there
  // are not yet enough, and `bytes` is used up. Who is done with the field
  // clears gathered_.
  bool Gather(size_t wanted, absl::string_view& bytes,
              absl::string_view& field) {
    const size_t count = std::min(wanted - gathered_.size(), bytes.size());
    const absl::string_view taken = bytes.substr(0, count);
    bytes.remove_prefix(count);
    consumed_ += count;
    if (count == wanted) {
      field = taken;
      return true;
    }
    gathered_.append(taken.data(), taken.size());
    field = gathered_;
    return gathered_.size() == wanted;
  }

  absl::Status failed_;
  uint64_t consumed_ = 0;  // bytes, for messages
  std::string gathered_;
};

}  // namespace sluice

#endif  // SLUICE_BASE_PIECE_PARSER_H_
