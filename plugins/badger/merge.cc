#include "sluice/plugins/badger/merge.h"

#include <algorithm>
#include <utility>

#include "sluice/base/status_macros.h"

namespace sluice {
namespace badger {

Merge::Merge(std::vector<EntrySource*> sources)
    : sources_(std::move(sources)) {}

absl::Status Merge::Seek(absl::string_view user_key) {
  heap_.clear();
  current_.clear();
  for (size_t i = 0; i < sources_.size(); ++i) {
    SLUICE_RETURN_IF_ERROR(sources_[i]->Seek(user_key));
    Push(i);
  }
  Gather();
  return absl::OkStatus();
}

absl::Status Merge::Next() {
  if (current_.size() == 1) return NextOfOne();
  for (const size_t source : current_) {
    SLUICE_RETURN_IF_ERROR(sources_[source]->Next());
    Push(source);
  }
  Gather();
  return absl::OkStatus();
}

// Most versions are in one source, and most of its neighbours are, too.
absl::Status Merge::NextOfOne() {
  const size_t source = current_.front();
  SLUICE_RETURN_IF_ERROR(sources_[source]->Next());
  const bool stays_first =
      sources_[source]->Valid() &&
      (heap_.empty() ||
       Compare(sources_[source]->key(), sources_[heap_.front()]->key()) < 0);
  if (stays_first) {
    values_.front() = sources_[source]->value();
    return absl::OkStatus();
  }
  Push(source);
  Gather();
  return absl::OkStatus();
}

bool Merge::After(size_t a, size_t b) const {
  const int order = Compare(sources_[a]->key(), sources_[b]->key());
  return order != 0 ? order > 0 : a > b;
}

void Merge::Push(size_t source) {
  if (!sources_[source]->Valid()) return;
  heap_.push_back(source);
  std::push_heap(heap_.begin(), heap_.end(),
                 [this](size_t a, size_t b) { return After(a, b); });
}

size_t Merge::Pop() {
  std::pop_heap(heap_.begin(), heap_.end(),
                [this](size_t a, size_t b) { return After(a, b); });
  const size_t source = heap_.back();
  heap_.pop_back();
  return source;
}

void Merge::Gather() {
  current_.clear();
  values_.clear();
  while (!heap_.empty() &&
         (current_.empty() ||
          Compare(sources_[heap_.front()]->key(), key()) == 0)) {
    const size_t source = Pop();
    current_.push_back(source);
    values_.push_back(sources_[source]->value());
  }
}

}  // namespace badger
}  // namespace sluice
