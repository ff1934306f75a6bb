#ifndef SLUICE_PLUGINS_BADGER_IMAGE_VERSION_WINDOW_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_VERSION_WINDOW_H_

// Versions that follow one another, kept while a VersionReader goes on, so that
// their values are read together (value_batch.h).
//
//   window.Add(entry, is_newest, versions.values());  // until window.full()
//   window.values().Start(versions.logs());
//   window.values().Finish(versions.logs());
//   for (const VersionWindow::Held& held : window.versions()) {
//     if (!window.ValueOf(held).has_value()) {
//       status = versions.ReadValue(..., window.SourcesOf(held), ...);
//     }
//   }
//
// One thread. Memory: kMaxBytes and an entry, for keys, values and records, and
// a page for each gap between these: below 2 MiB and an entry.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/image/text_arena.h"
#include "sluice/plugins/badger/image/value_batch.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

class VersionWindow {
 public:
  // So much stays in a core's own cache until it is used. As many values as
  // disks read at once fit, if they are short.
  static constexpr size_t kMaxBytes = size_t{256} << 10;
  static constexpr size_t kMaxVersions = 256;

  struct Held {
    StreamEntry entry;  // without its value
    bool is_newest = false;
    size_t first_source = 0;
    size_t sources = 0;
    size_t value = 0;  // its place in the batch
  };

  explicit VersionWindow(ValueBatch::Part part = ValueBatch::Part::kWhole)
      : values_(part) {}

  // Copies `entry`, and what the sources say of its value, the newest first;
  // nothing, where it needs none.
  void Add(const StreamEntry& entry, bool is_newest,
           absl::Span<const StoredValue> sources);
  bool full() const {
    return text_bytes_ + values_.bytes() >= kMaxBytes ||
           versions_.size() >= kMaxVersions;
  }
  bool empty() const { return versions_.empty(); }
  void Clear();

  ValueBatch& values() { return values_; }
  const std::vector<Held>& versions() const { return versions_; }
  // Where the newest of its sources leads to one in a value log, and it was
  // read. All else is VersionReader's to say.
  absl::optional<absl::string_view> ValueOf(const Held& held) const {
    if (held.value == kNone) return absl::nullopt;
    return values_.value(held.value);
  }
  absl::optional<uint64_t> ValueBytesOf(const Held& held) const {
    if (held.value == kNone) return absl::nullopt;
    return values_.value_bytes(held.value);
  }
  absl::Span<const StoredValue> SourcesOf(const Held& held) const {
    return absl::MakeSpan(sources_).subspan(held.first_source, held.sources);
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  std::vector<Held> versions_;
  std::vector<StoredValue> sources_;
  TextArena texts_;
  size_t text_bytes_ = 0;
  ValueBatch values_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_VERSION_WINDOW_H_
