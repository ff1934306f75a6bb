#include "sluice/plugins/badger/stream/increment.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/stream/live_digest.h"

namespace sluice {
namespace badger {
namespace {

bool IsSame(const IndexedVersion& indexed, const StreamEntry& entry) {
  return indexed.version == entry.version &&
         indexed.fingerprint == FingerprintOf(entry);
}

constexpr char kBelow[] = "is below what the base holds";
constexpr char kOther[] = "is merged and is not what it was";
constexpr char kLessIsMerged[] = "is merged with fewer versions than before";

}  // namespace

void IndexBuilder::Begin(absl::string_view key) {
  record_.key.assign(key.data(), key.size());
  record_.versions.clear();
  record_.is_cut = false;
}

void IndexBuilder::Add(const StreamEntry& entry) {
  if (IsDead(entry)) return;
  if (record_.versions.size() == kMaxIndexedVersions) {
    record_.is_cut = true;
    return;
  }
  record_.versions.push_back(
      {entry.version, entry.expires_at, FingerprintOf(entry)});
}

absl::Status FullIndex::Take(const StreamEntry& entry) {
  if (entry.key != key_.record().key) {
    SLUICE_RETURN_IF_ERROR(Finish());
    key_.Begin(entry.key);
  }
  key_.Add(entry);
  return absl::OkStatus();
}

absl::Status FullIndex::Finish() {
  if (key_.record().versions.empty()) return absl::OkStatus();
  return index_.Add(key_.record());
}

Increment::Increment(IndexChain& base, uint64_t base_max_version, uint64_t now,
                     EntryVisitor give, IndexWriter& index)
    : base_(base),
      base_max_version_(base_max_version),
      now_(now),
      give_(give),
      index_(index),
      key_(now) {}

absl::Status Increment::Take(const StreamEntry& entry) {
  if (!begun_ || entry.key != key_.record().key) {
    SLUICE_RETURN_IF_ERROR(EndKey());
    SLUICE_RETURN_IF_ERROR(BeginKey(entry.key));
  }
  if (!why_full_.empty()) return absl::OkStatus();
  key_.Add(entry);
  const absl::Status status =
      key_.IsDead(entry) ? TakeDead(entry) : TakeLive(entry);
  is_newest_ = false;
  return status;
}

absl::Status Increment::Finish() {
  SLUICE_RETURN_IF_ERROR(EndKey());
  while (why_full_.empty() && base_.Valid()) {
    SLUICE_RETURN_IF_ERROR(TakeGone(base_.record()));
    SLUICE_RETURN_IF_ERROR(NextOfBase());
  }
  return absl::OkStatus();
}

absl::Status Increment::NextOfBase() {
  const absl::Status status = base_.Next();
  if (status.ok() || status.code() == absl::StatusCode::kCancelled) {
    return status;
  }
  why_full_ =
      absl::StrCat("the base's index cannot be read: ", status.message());
  return absl::OkStatus();
}

absl::Status Increment::BeginKey(absl::string_view key) {
  begun_ = true;
  key_.Begin(key);
  base_versions_.versions.clear();
  base_versions_.is_cut = false;
  next_of_base_ = 0;
  is_newest_ = true;
  is_seen_ = true;
  has_changed_ = false;
  int order = -1;
  while (why_full_.empty() && base_.Valid()) {
    order = absl::string_view(base_.record().key).compare(key);
    if (order >= 0) break;
    SLUICE_RETURN_IF_ERROR(TakeGone(base_.record()));
    SLUICE_RETURN_IF_ERROR(NextOfBase());
  }
  if (!why_full_.empty() || order != 0) return absl::OkStatus();
  for (const IndexedVersion& version : base_.record().versions) {
    if (HasExpired(version)) return NextOfBase();
    base_versions_.versions.push_back(version);
  }
  base_versions_.is_cut = base_.record().is_cut;
  return NextOfBase();
}

absl::Status Increment::EndKey() {
  if (!begun_ || !why_full_.empty()) return absl::OkStatus();
  // All of the key's entries are merged, down to the last.
  if (is_seen_) SLUICE_RETURN_IF_ERROR(EndInChain());
  if (!why_full_.empty()) return absl::OkStatus();
  return has_changed_ ? index_.Add(key_.record()) : absl::OkStatus();
}

// Such is as dead in the chain as it is here, and ends what is seen.
bool Increment::HasExpired(const IndexedVersion& version) const {
  return version.expires_at != 0 && version.expires_at <= now_;
}

absl::Status Increment::TakeGone(const IndexRecord& gone) {
  if (gone.versions.empty() || HasExpired(gone.versions.front())) {
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(Bury(gone.key, gone.versions.front().version));
  IndexRecord record;
  record.key = gone.key;
  return index_.Add(record);
}

bool Increment::PassBaseAbove(uint64_t version) {
  const size_t first = next_of_base_;
  while (next_of_base_ < base_versions_.versions.size() &&
         base_versions_.versions[next_of_base_].version > version) {
    ++next_of_base_;
  }
  return next_of_base_ == first;
}

const IndexedVersion* Increment::NextOfKey() const {
  return next_of_base_ < base_versions_.versions.size()
             ? &base_versions_.versions[next_of_base_]
             : nullptr;
}

absl::Status Increment::TakeDead(const StreamEntry& entry) {
  const bool was_seen = std::exchange(is_seen_, false);
  if (!has_base()) {
    return entry.version > base_max_version_ ? Give(entry) : absl::OkStatus();
  }
  if (entry.version >= newest_of_base()) {
    has_changed_ = true;
    return Give(entry);
  }
  return was_seen ? EndInChain() : absl::OkStatus();
}

absl::Status Increment::EndInChain() {
  const IndexedVersion* const base = NextOfKey();
  if (base != nullptr) {
    has_changed_ = true;
    return Bury(key_.record().key, base->version);
  }
  if (!base_versions_.is_cut) return absl::OkStatus();
  return Refuse({key_.record().key, newest_of_base()}, kLessIsMerged);
}

absl::Status Increment::TakeLive(const StreamEntry& entry) {
  const bool was_seen = is_seen_;
  is_seen_ = was_seen && MergesBelow(entry);
  const uint64_t above = has_base() ? newest_of_base() : base_max_version_;
  if (was_seen && is_newest_ && has_base() && entry.version < above) {
    return Refuse({entry.key, entry.version}, kBelow);
  }
  if (!PassBaseAbove(entry.version) && was_seen) {
    return Refuse({entry.key, entry.version}, kLessIsMerged);
  }
  const IndexedVersion* const base = NextOfKey();
  const bool is_in_base = base != nullptr && base->version == entry.version;
  if (is_in_base) {
    ++next_of_base_;
    if (IsSame(*base, entry)) return absl::OkStatus();
    // What was in its place may have hidden more than the index says.
    if (is_seen_) return Refuse({entry.key, entry.version}, kOther);
  } else if (was_seen && entry.version <= above) {
    // Below what the chain may hold of the key, it might not be seen there.
    return Refuse({entry.key, entry.version}, kBelow);
  }
  has_changed_ = true;
  return Give(entry);
}

absl::Status Increment::Bury(absl::string_view key, uint64_t version) {
  StreamEntry tombstone;
  tombstone.key = key;
  tombstone.version = version;
  tombstone.meta = kMetaDelete;
  return Give(tombstone);
}

absl::Status Increment::Give(const StreamEntry& entry) {
  if (given_key_ != entry.key) {
    given_key_.assign(entry.key.data(), entry.key.size());
    ++keys_;
  }
  ++versions_;
  bytes_ += entry.key.size() + entry.value.size();
  return give_(entry);
}

absl::Status Increment::Refuse(const InternalKey& key, absl::string_view why) {
  why_full_ = absl::StrCat(
      Describe(key), " ", why,
      ": the store was rolled back, its versions began anew, or they were "
      "chosen by the application");
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
