#include "sluice/plugins/memory/store/memory_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/store_id.h"
#include "sluice/plugins/memory/store/memory_tree.h"

namespace sluice {

using memory_internal::Entry;
using memory_internal::EntryPointer;
using memory_internal::Tree;

namespace {

EntryPointer MakeEntry(absl::string_view key, absl::string_view value,
                       std::vector<std::string> payload_ids) {
  std::sort(payload_ids.begin(), payload_ids.end());
  payload_ids.erase(std::unique(payload_ids.begin(), payload_ids.end()),
                    payload_ids.end());
  auto entry = std::make_shared<Entry>();
  entry->key = std::make_shared<const std::string>(key);
  entry->value = std::string(value);
  entry->payload_ids = std::move(payload_ids);
  return entry;
}

absl::Status CheckEntry(const Entry& entry) {
  if (entry.key->size() > kMaxMemoryKeyBytes) {
    return InvalidArgument(absl::StrCat("put: a key of ", entry.key->size(),
                                        " bytes, more than ",
                                        kMaxMemoryKeyBytes));
  }
  for (const std::string& id : entry.payload_ids) {
    if (IsValidPayloadId(id)) continue;
    return InvalidArgument(
        "put: a payload id must be 1 to 1,024 bytes without control bytes");
  }
  return absl::OkStatus();
}

}  // namespace

// A change without an entry deletes its key.
struct WriteBatch::Change {
  EntryPointer entry;
  std::string deleted_key;
};

WriteBatch::WriteBatch() = default;
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;

void WriteBatch::Put(absl::string_view key, absl::string_view value,
                     std::vector<std::string> payload_ids) {
  changes_.push_back({MakeEntry(key, value, std::move(payload_ids)), ""});
}

void WriteBatch::Delete(absl::string_view key) {
  changes_.push_back({nullptr, std::string(key)});
}

size_t WriteBatch::size() const { return changes_.size(); }

MemorySnapshot::MemorySnapshot(Tree tree, std::string store_id)
    : tree_(std::move(tree)), store_id_(std::move(store_id)) {}

absl::optional<MemoryEntry> MemorySnapshot::Get(absl::string_view key) const {
  const EntryPointer* entry = memory_internal::Find(tree_, key);
  if (entry == nullptr) return absl::nullopt;
  return (*entry)->View();
}

void MemorySnapshot::Scan(
    absl::string_view begin, absl::string_view end,
    absl::FunctionRef<bool(const MemoryEntry&)> visit) const {
  memory_internal::ScanTree(tree_, begin, end, visit);
}

absl::StatusOr<std::shared_ptr<MemoryStore>> MemoryStore::Create(
    absl::string_view store_id) {
  if (!store_id.empty() && !IsStoreId(store_id)) {
    return InvalidArgument(
        "a store id must be 1 to 128 bytes of [A-Za-z0-9._-]");
  }
  return std::shared_ptr<MemoryStore>(new MemoryStore(store_id));
}

MemoryStore::MemoryStore(absl::string_view store_id) : store_id_(store_id) {}
MemoryStore::~MemoryStore() = default;

absl::Status MemoryStore::Put(absl::string_view key, absl::string_view value,
                              std::vector<std::string> payload_ids) {
  EntryPointer entry = MakeEntry(key, value, std::move(payload_ids));
  if (absl::Status status = CheckEntry(*entry); !status.ok()) return status;
  EntryPointer replaced;  // freed after the lock
  MutexLock lock(mutex_);
  replaced = memory_internal::Insert(tree_, generation_, std::move(entry));
  return absl::OkStatus();
}

absl::optional<std::string> MemoryStore::Get(absl::string_view key) const {
  EntryPointer entry;
  {
    MutexLock lock(mutex_);
    const EntryPointer* found = memory_internal::Find(tree_, key);
    if (found == nullptr) return absl::nullopt;
    entry = *found;
  }
  return entry->value;
}

bool MemoryStore::Delete(absl::string_view key) {
  EntryPointer erased;  // freed after the lock
  MutexLock lock(mutex_);
  erased = memory_internal::Erase(tree_, generation_, key);
  return erased != nullptr;
}

absl::Status MemoryStore::Write(WriteBatch batch) {
  for (const WriteBatch::Change& change : batch.changes_) {
    if (change.entry == nullptr) continue;
    if (absl::Status status = CheckEntry(*change.entry); !status.ok()) {
      return status;
    }
  }
  std::vector<EntryPointer> dropped;  // freed after the lock
  dropped.reserve(batch.changes_.size());
  MutexLock lock(mutex_);
  for (WriteBatch::Change& change : batch.changes_) {
    dropped.push_back(
        change.entry != nullptr
            ? memory_internal::Insert(tree_, generation_,
                                      std::move(change.entry))
            : memory_internal::Erase(tree_, generation_, change.deleted_key));
  }
  return absl::OkStatus();
}

void MemoryStore::Scan(
    absl::string_view begin, absl::string_view end,
    absl::FunctionRef<bool(const MemoryEntry&)> visit) const {
  Snapshot().Scan(begin, end, visit);
}

MemorySnapshot MemoryStore::Snapshot() const {
  MutexLock lock(mutex_);
  // From here on no node of the snapshot is changed in place.
  ++generation_;
  return MemorySnapshot(tree_, store_id_);
}

MemoryStoreStats MemoryStore::stats() const {
  MutexLock lock(mutex_);
  return tree_.stats;
}

std::string MemoryStore::store_id() const {
  MutexLock lock(mutex_);
  return store_id_;
}

absl::Status MemoryStore::Adopt(const std::shared_ptr<MemoryStore>& restored,
                                absl::string_view store_id) {
  if (!store_id.empty() && !IsStoreId(store_id)) {
    return InvalidArgument(
        "a store id must be 1 to 128 bytes of [A-Za-z0-9._-]");
  }
  Tree contents;
  uint64_t made_by = 0;
  {
    MutexLock lock(restored->mutex_);
    contents = restored->tree_;
    made_by = ++restored->generation_;
  }
  MutexLock lock(mutex_);
  if (tree_.root != nullptr) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, kRestorePreconditionFailed,
        absl::StrCat("restore: the store holds ", tree_.stats.keys, " keys"));
  }
  tree_ = std::move(contents);
  // No adopted node may look as if it were of our present generation.
  generation_ = std::max(generation_, made_by) + 1;
  if (store_id_.empty()) store_id_ = std::string(store_id);
  return absl::OkStatus();
}

}  // namespace sluice
