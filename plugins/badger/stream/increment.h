#ifndef SLUICE_PLUGINS_BADGER_STREAM_INCREMENT_H_
#define SLUICE_PLUGINS_BADGER_STREAM_INCREMENT_H_

// What a backup must add to its base so that a restore of both holds what the
// store holds, or the reason why nothing that is added can do that.
//
//   IndexChain base(request.base_indexes);
//   SLUICE_RETURN_IF_ERROR(base.Start());
//   Increment increment(base, base_max_version, now, give, index);
//   // for each entry of a whole backup (backup_walk.h), in order:
//   SLUICE_RETURN_IF_ERROR(increment.Take(entry));
//   SLUICE_RETURN_IF_ERROR(increment.Finish());
//   if (!increment.why_full().empty()) ...  // what was given is of no use
//
// Nothing is believed of versions or of the database's name: the base's index
// (backup_index.h) says which versions of each key its chain holds alive, and
// with which content; the entries say which there are now. They are compared
// key by key, both being in order:
//
//   * What is there now and not in the index is given.
//   * Where the chain would show a version that is gone without a trace, alone
//     or merged into what is there, a tombstone is given in its place: of equal
//     keys and versions the later stream's stays.
//   * Where what is there now would lie below what the chain holds, and so
//     never be seen, no increment can be made: a directory that was rolled
//     back, or whose versions began anew.
//
// So a restored chain holds of each key the same newest version as the store,
// and of what a merge operator wrote the same versions. It may hold more
// obsolete versions than the store, which compaction has dropped there; none
// that is merged into a live one. docs/adr/0012 says why that is so.
//
// One thread. Memory: a record of each index (backup_index.h), one of the key.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_index.h"
#include "sluice/plugins/badger/stream/backup_walk.h"

namespace sluice {
namespace badger {

// The index of a backup made of its entries, a key at a time.
class IndexBuilder {
 public:
  explicit IndexBuilder(uint64_t now) : now_(now) {}

  // Of the next key.
  void Begin(absl::string_view key);
  // Its entries, the newest first; those that are dead are passed over.
  void Add(const StreamEntry& entry);
  const IndexRecord& record() const { return record_; }

  bool IsDead(const StreamEntry& entry) const {
    return entry.deleted() ||
           (entry.expires_at != 0 && entry.expires_at <= now_);
  }

 private:
  const uint64_t now_;
  IndexRecord record_;
};

// That of a full backup: every key.
class FullIndex {
 public:
  FullIndex(uint64_t now, IndexWriter& index) : key_(now), index_(index) {}

  absl::Status Take(const StreamEntry& entry);
  absl::Status Finish();

 private:
  IndexBuilder key_;
  IndexWriter& index_;
};

class Increment {
 public:
  // `base` is at its first record. `base_max_version`: no version of the chain
  // is above it. `give` gets the entries of the increment, in order; `index`
  // what the next increment must know beside the base's indexes. All borrowed.
  Increment(IndexChain& base, uint64_t base_max_version, uint64_t now,
            EntryVisitor give, IndexWriter& index);

  absl::Status Take(const StreamEntry& entry);
  absl::Status Finish();

  // Empty: what was given is right. Else, for people, why it is not; nothing
  // more is given from then on.
  const std::string& why_full() const { return why_full_; }
  // Of what was given.
  uint64_t keys() const { return keys_; }
  uint64_t versions() const { return versions_; }
  uint64_t bytes() const { return bytes_; }

 private:
  absl::Status BeginKey(absl::string_view key);
  absl::Status EndKey();
  // The chain's key has no entry now.
  absl::Status TakeGone(const IndexRecord& gone);
  // Fails only where the run was cancelled; else tells why_full_.
  absl::Status NextOfBase();
  bool HasExpired(const IndexedVersion& version) const;
  absl::Status TakeDead(const StreamEntry& entry);
  absl::Status TakeLive(const StreamEntry& entry);
  // What is seen of the key has ended; makes it do so in the chain.
  absl::Status EndInChain();
  // Goes past what the chain holds of the key above `version`; false where
  // that is merged into what is seen.
  bool PassBaseAbove(uint64_t version);
  // What the chain holds of the key at or below that; null: nothing.
  const IndexedVersion* NextOfKey() const;
  // A tombstone in the place of the chain's newest version.
  absl::Status Bury(absl::string_view key, uint64_t version);
  absl::Status Give(const StreamEntry& entry);
  absl::Status Refuse(const InternalKey& key, absl::string_view why);
  // Whether the chain holds something alive of the key.
  bool has_base() const { return !base_versions_.versions.empty(); }
  uint64_t newest_of_base() const {
    return base_versions_.versions.front().version;
  }

  IndexChain& base_;
  const uint64_t base_max_version_;
  const uint64_t now_;
  const EntryVisitor give_;
  IndexWriter& index_;

  bool begun_ = false;
  IndexBuilder key_;           // the key that is being taken, as it is now
  IndexRecord base_versions_;  // what the chain holds of it
  size_t next_of_base_ = 0;    // of these, the first that was not passed
  bool is_newest_ = false;     // no entry of the key was taken
  // What comes next is part of what is seen of the key: its newest version, or
  // what is merged into that.
  bool is_seen_ = false;
  bool has_changed_ = false;  // the chain must learn of the key

  std::string given_key_;
  uint64_t keys_ = 0;
  uint64_t versions_ = 0;
  uint64_t bytes_ = 0;
  std::string why_full_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_INCREMENT_H_
