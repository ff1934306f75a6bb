#include "sluice/plugins/badger/sort/merge.h"

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
  if (sources_[source]->Valid()) {
    key_ = sources_[source]->key();
    if (heap_.empty() || Compare(key_, first_) < 0) {
      values_.front() = sources_[source]->value();
      return absl::OkStatus();
    }
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
  while (!heap_.empty()) {
    first_ = sources_[heap_.front()]->key();
    if (current_.empty()) {
      key_ = first_;
    } else if (Compare(first_, key_) != 0) {
      break;
    }
    const size_t source = Pop();
    current_.push_back(source);
    values_.push_back(sources_[source]->value());
  }
}

}  // namespace badger
}  // namespace sluice
