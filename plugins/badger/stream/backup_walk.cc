#include "sluice/plugins/badger/stream/backup_walk.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/image/version_window.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

class Walk {
 public:
  Walk(VersionReader& versions, const WalkOptions& options, EntryVisitor visit)
      : versions_(versions),
        options_(options),
        visit_(visit),
        digest_(options.now),
        windows_{VersionWindow(PartOf(options)),
                 VersionWindow(PartOf(options))} {}

  // The version that the reader is at.
  absl::Status Take() {
    totals_.max_version = std::max(totals_.max_version, versions_.version());
    const bool is_newest = !begun_ || versions_.key() != key_;
    if (is_newest) {
      begun_ = true;
      key_.assign(versions_.key().data(), versions_.key().size());
      key_has_ended_ = false;
    }
    if (key_has_ended_) return absl::OkStatus();
    const StreamEntry entry = EntryHere();
    key_has_ended_ = IsDead(entry) || Discards(entry);
    return ShowInTurn(entry, is_newest);
  }

  // Shows those whose values are still being read.
  absl::Status Drain() {
    SLUICE_RETURN_IF_ERROR(ShowWindow(*started_));
    filling_->values().Start(versions_.logs());
    return ShowWindow(*filling_);
  }

  WalkTotals Finish() {
    totals_.live = digest_.totals();
    return totals_;
  }

 private:
  static ValueBatch::Part PartOf(const WalkOptions& options) {
    return options.with_log_values ? ValueBatch::Part::kWhole
                                   : ValueBatch::Part::kFront;
  }
  bool IsDead(const StreamEntry& entry) const {
    return entry.deleted() ||
           (entry.expires_at != 0 && entry.expires_at <= options_.now);
  }
  static bool Discards(const StreamEntry& entry) {
    return (entry.meta & kMetaDiscardEarlier) != 0;
  }

  // Without its value.
  StreamEntry EntryHere() const {
    StreamEntry entry;
    entry.key = key_;
    entry.version = versions_.version();
    entry.expires_at = versions_.expires_at();
    entry.user_meta = versions_.user_meta();
    entry.meta = versions_.meta();
    return entry;
  }

  // At once where its value is there and none before it is being read.
  absl::Status ShowInTurn(const StreamEntry& entry, bool is_newest) {
    absl::Span<const StoredValue> values;
    if (!IsDead(entry)) values = versions_.values();
    const bool is_first = started_->empty() && filling_->empty();
    if (is_first && (values.empty() || !values.front().is_in_value_log())) {
      return ShowUnread(entry, is_newest, values);
    }
    filling_->Add(entry, is_newest, values);
    return filling_->full() ? StartWindow() : absl::OkStatus();
  }

  // Where a disk is waited for, the next window is asked for before that.
  absl::Status StartWindow() {
    filling_->values().Start(versions_.logs());
    SLUICE_RETURN_IF_ERROR(ShowWindow(*started_));
    if (filling_->values().is_finished()) return ShowWindow(*filling_);
    std::swap(filling_, started_);
    return absl::OkStatus();
  }

  // And empties it.
  absl::Status ShowWindow(VersionWindow& window) {
    window.values().Finish(versions_.logs());
    for (const VersionWindow::Held& held : window.versions()) {
      StreamEntry entry = held.entry;
      const absl::optional<uint64_t> bytes = window.ValueBytesOf(held);
      if (!bytes.has_value()) {
        SLUICE_RETURN_IF_ERROR(
            ShowUnread(entry, held.is_newest, window.SourcesOf(held)));
        continue;
      }
      if (options_.with_log_values) entry.value = *window.ValueOf(held);
      SLUICE_RETURN_IF_ERROR(Show(entry, held.is_newest, *bytes));
    }
    window.Clear();
    return absl::OkStatus();
  }

  // `values`: none where it needs none.
  absl::Status ShowUnread(StreamEntry entry, bool is_newest,
                          absl::Span<const StoredValue> values) {
    if (!values.empty() && values.front().is_here()) {
      entry.value = values.front().bytes;
    } else if (!options_.with_log_values && !values.empty() &&
               values.front().is_replayed()) {
      // Its record was read when the image was opened.
      return Show(entry, is_newest, values.front().place.size);
    } else if (!values.empty()) {
      const absl::Status status =
          versions_.ReadValue({entry.key, entry.version}, values, value_);
      if (IsDangling(status) && !is_newest) {
        ++totals_.values_gone;
        return absl::OkStatus();
      }
      SLUICE_RETURN_IF_ERROR(status);
      entry.value = value_;
    }
    return Show(entry, is_newest, entry.value.size());
  }

  absl::Status Show(const StreamEntry& entry, bool is_newest,
                    uint64_t value_bytes) {
    // An older version is shown only where the newest was.
    totals_.keys += is_newest ? 1 : 0;
    SLUICE_RETURN_IF_ERROR(Give(entry, value_bytes));
    if (IsDead(entry) || !Discards(entry) || entry.version <= 1) {
      return absl::OkStatus();
    }
    StreamEntry tombstone;
    tombstone.key = entry.key;
    tombstone.version = entry.version - 1;
    tombstone.meta = kMetaDelete;
    return Give(tombstone, 0);
  }

  absl::Status Give(const StreamEntry& entry, uint64_t value_bytes) {
    ++totals_.versions;
    totals_.bytes += entry.key.size() + value_bytes;
    if (!options_.with_live_totals) return visit_(entry);
    // Whoever is visited needs the same hash.
    StreamEntry hashed = entry;
    digest_.AddAndKeep(hashed);
    return visit_(hashed);
  }

  VersionReader& versions_;
  const WalkOptions& options_;
  const EntryVisitor visit_;
  LiveDigest digest_;
  WalkTotals totals_;
  bool begun_ = false;
  std::string key_;             // of the version that the reader is at
  bool key_has_ended_ = false;  // its older versions are no part of a backup
  // What the reader is past and is not shown yet: first those in started_, of
  // which some are being read.
  VersionWindow windows_[2];
  VersionWindow* started_ = &windows_[0];
  VersionWindow* filling_ = &windows_[1];
  std::string value_;
};

}  // namespace

absl::StatusOr<WalkTotals> WalkBackup(VersionReader& versions,
                                      const WalkOptions& options,
                                      const sdk::Run& run, EntryVisitor visit) {
  Walk walk(versions, options, visit);
  absl::Status status;
  while (status.ok() && versions.Valid()) {
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_RETURN_IF_ERROR(walk.Take());
    status = versions.Next();
  }
  // What comes before an error is shown before it.
  SLUICE_RETURN_IF_ERROR(walk.Drain());
  SLUICE_RETURN_IF_ERROR(status);
  return walk.Finish();
}

}  // namespace badger
}  // namespace sluice
