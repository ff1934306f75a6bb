#include "sluice/plugins/badger/image/version_window.h"

#include "sluice/plugins/badger/format/entry.h"

namespace sluice {
namespace badger {

void VersionWindow::Add(const StreamEntry& entry, bool is_newest,
                        absl::Span<const StoredValue> sources) {
  Held held = {entry, is_newest, sources_.size(), sources.size(), kNone};
  held.entry.key = texts_.Keep(entry.key);
  text_bytes_ += entry.key.size();
  for (const StoredValue& source : sources) {
    sources_.push_back(source);
    sources_.back().bytes = texts_.Keep(source.bytes);
    text_bytes_ += source.bytes.size();
  }
  ValuePointer pointer;
  // A long value gains nothing by being read in company.
  if (!sources.empty() && sources.front().is_in_value_log() &&
      ParseValuePointer(sources.front().bytes, pointer) &&
      pointer.size <= kMaxBytes) {
    held.value = values_.Add({held.entry.key, entry.version}, pointer);
  }
  versions_.push_back(held);
}

void VersionWindow::Clear() {
  versions_.clear();
  sources_.clear();
  texts_.Clear();
  text_bytes_ = 0;
  values_.Clear();
}

}  // namespace badger
}  // namespace sluice
