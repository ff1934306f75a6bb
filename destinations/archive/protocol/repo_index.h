#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_INDEX_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_INDEX_H_

// What the manifests of a repo said when they were last read, in one object:
// a hint that saves reading ten thousand files to list them.
//
//   const RepoIndex index = RepoIndex::Load(run, store);
//   if (index.Find(info)) ...      // `info` is manifest.json's, as listed
//
// An entry counts only while its manifest.json has the size and the time that
// it had when it was read; where nothing fits, the manifest itself is read, so
// that the repo without its index is the same repo. Restores and verifies never
// ask it. A sweep, which sees every manifest, writes it anew once enough of it
// is missing. docs/format/index.md.
//
// Const calls from any thread.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

inline constexpr absl::string_view kIndexObject = "sluice-index";
inline constexpr uint64_t kMaxIndexBytes = uint64_t{256} << 20;
// Larger manifests are left out, and read each time.
inline constexpr uint64_t kMaxIndexedManifestBytes = uint64_t{16} << 10;

class RepoIndex {
 public:
  // Empty where the place has none, or none that can be used: never an error.
  static RepoIndex Load(const Context& context, ObjectStore& store);
  // Empty unless `bytes` is an index, whole and of this version.
  static RepoIndex Parse(absl::string_view bytes);

  // What the object said; nothing where it is not the one that was read.
  absl::optional<Manifest> Find(const ObjectInfo& manifest) const;
  // The same, without taking the manifest apart: whether it is a tombstone.
  absl::optional<bool> IsTombstone(const ObjectInfo& manifest) const;

  void Add(const ObjectInfo& info, const Manifest& manifest);
  // Takes over what `other` has for the object.
  void Keep(const RepoIndex& other, const ObjectInfo& info);
  std::string Encode() const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    uint64_t object_size = 0;
    int64_t modified_ns = 0;
    bool tombstone = false;
    std::string manifest;  // serialized
  };
  const Entry* Look(const ObjectInfo& manifest) const;

  std::map<std::string, Entry, std::less<>> entries_;  // by object name
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_INDEX_H_
