#ifndef SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_STAGING_H_
#define SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_STAGING_H_

// The file operations of a restore into a folder; folder_target.h says the
// protocol.
//
//   RemoveRemains(folder)      of an earlier restore that was cut short
//   FolderStaging staging(folder); staging.Begin();
//   staging.BeginEntry(...) ...   as a visitor of the payload
//   staging.Publish();
//
// `folder` is the target as FileSystem::Beneath gives it. One thread.
//
// Each of the first few files is synced by itself, and each large one. Where
// there are more, one sync of the whole file system before Publish makes
// anything visible covers all others, and all folders; where the file system
// cannot do that, all are synced by themselves (docs/adr/0008-...).

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/base/staged_files.h"
#include "sluice/plugins/memory/payload/payload_parser.h"

namespace sluice {
namespace memory_internal {

// OK, or restore_precondition_failed that says why `key` cannot be a file.
absl::Status CheckKeyIsSafePath(absl::string_view key);

// True if the folder holds nothing but what an unfinished restore left.
absl::StatusOr<bool> HoldsOnlyRemains(FileSystem& folder);
// Removes what an unfinished restore left, if there is any: what it had made
// visible first, its marker last.
absl::Status RemoveRemains(FileSystem& folder);

class FolderStaging : public PayloadVisitor {
 public:
  // Borrows `folder`. `few_files`: the files that are synced by themselves
  // before it looks for a way to sync many.
  FolderStaging(FileSystem& folder, uint64_t few_files)
      : folder_(folder), few_files_(few_files) {}

  absl::Status Begin();
  absl::Status BeginEntry(absl::string_view key) override;
  absl::Status AddPayloadId(absl::string_view id) override;
  absl::Status AppendValue(absl::string_view bytes) override;
  absl::Status EndEntry() override;
  // Makes all of it visible and durable. After an error the caller removes the
  // remains.
  absl::Status Publish();

  uint64_t dropped_payload_ids() const { return dropped_payload_ids_; }
  uint64_t files() const { return files_; }

 private:
  enum class Syncing {
    kEach,         // so far; few files
    kEachForGood,  // the file system has no other way
    kAtOnce,
  };

  // Leaves the folders that `path` is not in, makes those it is in.
  absl::Status EnterFoldersOf(absl::string_view path);
  absl::Status LeaveFolder();
  // Syncs the file just written, or leaves it to SyncTree.
  absl::Status SyncFile();
  // Whether all that is not yet synced can be left to SyncTree.
  absl::StatusOr<bool> CanSyncAtOnce();
  // All files and folders of the tree are durable after it.
  absl::Status SyncTree();
  absl::Status WriteAll(absl::string_view bytes);
  // Begins file_, new, at `path` in the tree.
  int Create(std::string path);

  FileSystem& folder_;
  const uint64_t few_files_;
  FileOwner owner_;
  std::unique_ptr<FileSystem> tree_;
  // The tree's folder, opened before the first file is: it is told of each
  // write that was lost since.
  std::unique_ptr<File> tree_folder_;
  Syncing syncing_ = Syncing::kEach;
  uint64_t files_ = 0;  // ended
  // The path of the folder that files go into, below the tree: "" or "a/b/".
  // Keys ascend, so a folder that was left is never entered again.
  std::string inside_;
  std::string path_;  // of the entry begun
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
  bool ends_in_hole_ = false;
  uint64_t dropped_payload_ids_ = 0;
};

}  // namespace memory_internal
}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_STAGING_H_
