#include "sluice/destinations/archive/protocol/repo_index.h"

#include <xxhash.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/executor/ulid.h"

namespace sluice {
namespace {

// "SLUICEX" and the version, then the XXH3-64 of the rest.
constexpr absl::string_view kMagic("SLUICEX\x01", 8);
constexpr size_t kHeaderBytes = 16;

void Append(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

// Little-endian; the caller has seen that they are there.
uint64_t Take(absl::string_view& bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  bytes.remove_prefix(count);
  return value;
}

constexpr size_t kEntryBytes = kUlidLength + 8 + 8 + 1 + 4;

}  // namespace

RepoIndex RepoIndex::Load(const Context& context, ObjectStore& store) {
  absl::StatusOr<std::string> bytes =
      ReadObject(context, store, kIndexObject, kMaxIndexBytes);
  return bytes.ok() ? Parse(*bytes) : RepoIndex();
}

RepoIndex RepoIndex::Parse(absl::string_view bytes) {
  absl::string_view rest = bytes;
  if (rest.size() < kHeaderBytes || rest.substr(0, kMagic.size()) != kMagic)
    return {};
  rest.remove_prefix(kMagic.size());
  const uint64_t checksum = Take(rest, 8);
  if (XXH3_64bits(rest.data(), rest.size()) != checksum) return {};
  RepoIndex index;
  while (!rest.empty()) {
    if (rest.size() < kEntryBytes) return {};
    const absl::string_view id = rest.substr(0, kUlidLength);
    rest.remove_prefix(kUlidLength);
    Entry entry;
    entry.object_size = Take(rest, 8);
    entry.modified_ns = static_cast<int64_t>(Take(rest, 8));
    entry.tombstone = Take(rest, 1) != 0;
    const uint64_t size = Take(rest, 4);
    if (size > rest.size() || !IsBackupId(id)) return {};
    entry.manifest = std::string(rest.substr(0, size));
    rest.remove_prefix(size);
    index.entries_.insert_or_assign(ObjectName(id, kManifestFile),
                                    std::move(entry));
  }
  return index;
}

const RepoIndex::Entry* RepoIndex::Look(const ObjectInfo& manifest) const {
  const auto found = entries_.find(manifest.name);
  if (found == entries_.end() || found->second.object_size != manifest.size ||
      found->second.modified_ns != absl::ToUnixNanos(manifest.modified)) {
    return nullptr;
  }
  return &found->second;
}

absl::optional<Manifest> RepoIndex::Find(const ObjectInfo& manifest) const {
  const Entry* const entry = Look(manifest);
  Manifest found;
  if (entry == nullptr || !found.ParseFromString(entry->manifest) ||
      found.backup_id() != SplitObjectName(manifest.name).backup_id) {
    return absl::nullopt;
  }
  return found;
}

absl::optional<bool> RepoIndex::IsTombstone(const ObjectInfo& manifest) const {
  const Entry* const entry = Look(manifest);
  if (entry == nullptr) return absl::nullopt;
  return entry->tombstone;
}

void RepoIndex::Add(const ObjectInfo& info, const Manifest& manifest) {
  Entry entry;
  entry.object_size = info.size;
  entry.modified_ns = absl::ToUnixNanos(info.modified);
  entry.tombstone = manifest.has_tombstone();
  if (manifest.ByteSizeLong() > kMaxIndexedManifestBytes ||
      !manifest.SerializeToString(&entry.manifest)) {
    return;
  }
  entries_.insert_or_assign(info.name, std::move(entry));
}

void RepoIndex::Keep(const RepoIndex& other, const ObjectInfo& info) {
  if (const Entry* const entry = other.Look(info); entry != nullptr)
    entries_.insert_or_assign(info.name, *entry);
}

std::string RepoIndex::Encode() const {
  std::string body;
  for (const auto& [name, entry] : entries_) {
    absl::StrAppend(&body, SplitObjectName(name).backup_id);
    Append(body, entry.object_size, 8);
    Append(body, static_cast<uint64_t>(entry.modified_ns), 8);
    Append(body, entry.tombstone ? 1 : 0, 1);
    Append(body, entry.manifest.size(), 4);
    body += entry.manifest;
  }
  std::string bytes(kMagic);
  Append(bytes, XXH3_64bits(body.data(), body.size()), 8);
  return bytes + body;
}

}  // namespace sluice
