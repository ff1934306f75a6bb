#ifndef SLUICE_PLUGINS_BADGER_IMAGE_TEXT_ARENA_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_TEXT_ARENA_H_

// Copies of many short texts that go all at once.
//
//   TextArena arena;
//   const absl::string_view key = arena.Keep(entry.key);
//
// One thread. Cost: a copy; one allocation for kBlockBytes, or for a text that
// is longer.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

class TextArena {
 public:
  static constexpr size_t kBlockBytes = size_t{64} << 10;

  // Lives until Clear.
  absl::string_view Keep(absl::string_view text) {
    if (text.size() > room_) {
      room_ = std::max(text.size(), kBlockBytes);
      blocks_.emplace_back(new char[room_]);
      next_ = blocks_.back().get();
    }
    std::copy(text.begin(), text.end(), next_);
    const absl::string_view kept(next_, text.size());
    next_ += text.size();
    room_ -= text.size();
    return kept;
  }

  void Clear() {
    blocks_.clear();
    next_ = nullptr;
    room_ = 0;
  }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t room_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_TEXT_ARENA_H_
