#include "sluice/plugins/badger/backup_walk.h"

#include <algorithm>
#include <string>

#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/entry.h"
#include "sluice/plugins/badger/image_error.h"

namespace sluice {
namespace badger {
namespace {

class Walk {
 public:
  Walk(VersionReader& versions, const WalkOptions& options, EntryVisitor visit)
      : versions_(versions),
        options_(options),
        visit_(visit),
        digest_(options.now) {}

  // The version that the reader is at.
  absl::Status Take() {
    totals_.max_version = std::max(totals_.max_version, versions_.version());
    const bool is_newest = !begun_ || versions_.key() != key_;
    if (is_newest) {
      begun_ = true;
      key_.assign(versions_.key().data(), versions_.key().size());
      key_has_entry_ = false;
      key_has_ended_ = false;
      if (options_.with_live_totals) digest_.Add(EntryHere());
    }
    if (key_has_ended_) return absl::OkStatus();
    key_has_ended_ = EndsKey();
    if (versions_.version() <= options_.since) return absl::OkStatus();
    return Show(is_newest);
  }

  WalkTotals Finish() {
    totals_.live = digest_.totals();
    return totals_;
  }

 private:
  bool IsDead() const {
    const uint64_t expires_at = versions_.expires_at();
    return versions_.is_deleted() ||
           (expires_at != 0 && expires_at <= options_.now);
  }
  bool Discards() const {
    return (versions_.meta() & kMetaDiscardEarlier) != 0;
  }
  bool EndsKey() const { return IsDead() || Discards(); }

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

  absl::Status Show(bool is_newest) {
    StreamEntry entry = EntryHere();
    if (!IsDead()) {
      const absl::Status status = versions_.ReadValue(value_);
      if (IsDangling(status) && !is_newest) {
        ++totals_.values_gone;
        return absl::OkStatus();
      }
      SLUICE_RETURN_IF_ERROR(status);
      entry.value = value_;
    }
    SLUICE_RETURN_IF_ERROR(Give(entry));
    if (IsDead() || !Discards() || entry.version <= options_.since + 1) {
      return absl::OkStatus();
    }
    StreamEntry tombstone;
    tombstone.key = key_;
    tombstone.version = entry.version - 1;
    tombstone.meta = kMetaDelete;
    return Give(tombstone);
  }

  absl::Status Give(const StreamEntry& entry) {
    totals_.keys += key_has_entry_ ? 0 : 1;
    key_has_entry_ = true;
    ++totals_.versions;
    totals_.bytes += entry.key.size() + entry.value.size();
    return visit_(entry);
  }

  VersionReader& versions_;
  const WalkOptions& options_;
  const EntryVisitor visit_;
  LiveDigest digest_;
  WalkTotals totals_;
  bool begun_ = false;
  std::string key_;  // of the version here
  bool key_has_entry_ = false;
  bool key_has_ended_ = false;  // its older versions are no part of a backup
  std::string value_;
};

}  // namespace

absl::StatusOr<WalkTotals> WalkBackup(VersionReader& versions,
                                      const WalkOptions& options,
                                      const sdk::Run& run, EntryVisitor visit) {
  Walk walk(versions, options, visit);
  while (versions.Valid()) {
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_RETURN_IF_ERROR(walk.Take());
    SLUICE_RETURN_IF_ERROR(versions.Next());
  }
  return walk.Finish();
}

}  // namespace badger
}  // namespace sluice
