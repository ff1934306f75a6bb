#ifndef SLUICE_DESTINATIONS_LOCAL_PLACE_FOLDER_H_
#define SLUICE_DESTINATIONS_LOCAL_PLACE_FOLDER_H_

// The folder of a place, and what this process knows of its durability.
//
// A name in a folder survives a power cut only once the folder was synced, and
// the folder's own name only once its parent was. MakeFolders and SyncFolders
// bring every folder on the way to an object there, whoever made it: another
// writer may have made it a moment ago and not have synced it yet. What this
// process has seen synced is remembered, so an archive costs one sync of its
// parent and not one for each object.
//
// Thread-safe. Errors carry the destination_* words, with paths as the user
// wrote them.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/file_system.h"
#include "sluice/base/mutex.h"

namespace sluice {

inline constexpr uint32_t kFileMode = 0600;

// When an object came to be, by the place's clock. A copy that keeps the times
// of its source came to be when it was copied.
inline absl::Time ObjectTime(const FileInfo& info) {
  return std::max(info.modified, info.changed);
}

class PlaceFolder {
 public:
  // `path` absolute. `allow_unsynced`: folders that the file system cannot sync
  // are passed over instead of refused.
  PlaceFolder(FileSystem* file_system, std::string path, bool allow_unsynced)
      : file_system_(file_system),
        path_(std::move(path)),
        allow_unsynced_(allow_unsynced) {}

  // Opened anew for each operation, so that an unmounted disk is noticed and
  // none is kept busy. FAILED_PRECONDITION destination_not_found where it is
  // missing.
  absl::StatusOr<std::unique_ptr<FileSystem>> Open() const;

  // Makes the folder itself, and those above it, mode 0700, durably.
  absl::Status Create() const;

  // Makes `folder` and those above it where they are missing, and appends what
  // it made to `made`, outermost first.
  absl::Status MakeFolders(FileSystem& root, absl::string_view folder,
                           std::vector<std::string>& made);
  // Syncs the parent of `folder`, and of each above it, unless this process did
  // so since it was made. The folder must not be empty: then nobody removes it.
  // Where there is no parent of ours, the place itself is synced once, to see
  // that it can be.
  absl::Status SyncFolders(FileSystem& root, absl::string_view folder,
                           const std::vector<std::string>& made);
  // Removes `folders`, innermost last, as far as they are empty. Best effort.
  void RemoveFolders(FileSystem& root, const std::vector<std::string>& folders);
  // Removes `folder` and those above it as far as they are empty. Best effort.
  void RemoveEmpty(FileSystem& root, absl::string_view folder);

  // Syncs one folder ("" is the place itself).
  absl::Status SyncFolder(FileSystem& root, absl::string_view folder) const;

  // Syncs `folder`, or where it is gone the nearest above it.
  absl::Status SyncNearest(FileSystem& root, absl::string_view folder) const;

  // Names whose commit or delete ended without certainty: the rename was done,
  // the sync of its folder failed. Before such a name is read, SettleName makes
  // a new change to the folder and syncs that.
  void MarkUncertain(absl::string_view name);
  absl::Status SettleName(FileSystem& root, absl::string_view name);

  // "operation path/name: cause".
  absl::Status Error(absl::string_view operation, absl::string_view name,
                     int error) const;
  const std::string& path() const { return path_; }
  bool allow_unsynced() const { return allow_unsynced_; }

 private:
  absl::Status CreateAt(const std::string& path) const;
  absl::Status SyncParentOf(const std::string& path, bool made) const;
  bool KnownDurable(const std::string& folder);
  void SetDurable(const std::string& folder, bool durable);

  FileSystem* const file_system_;
  const std::string path_;
  const bool allow_unsynced_;
  Mutex mutex_;
  std::set<std::string> durable_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> uncertain_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_PLACE_FOLDER_H_
