#ifndef SLUICE_PLUGINS_MEMORY_FOLDER_STAGING_H_
#define SLUICE_PLUGINS_MEMORY_FOLDER_STAGING_H_

// The file operations of a restore into a folder; folder_target.h says the
// protocol.
//
//   RemoveRemains(folder)      of an earlier restore that was cut short
//   FolderStaging staging(folder); staging.Begin();
//   staging.BeginEntry(...) ...   as a visitor of the payload
//   staging.Publish();
//
// `folder` is the target as FileSystem::Beneath gives it. One thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/memory/payload_parser.h"

namespace sluice {
namespace memory_internal {

// OK, or restore_precondition_failed that says why `key` cannot be a file.
absl::Status CheckKeyIsSafePath(absl::string_view key);

// "write file a/b: no space left": with the word that `error` has.
absl::Status TargetError(absl::string_view what, absl::string_view path,
                         int error);

// True if the folder holds nothing but what an unfinished restore left.
absl::StatusOr<bool> HoldsOnlyRemains(FileSystem& folder);
// Removes what an unfinished restore left, if there is any: what it had made
// visible first, its marker last.
absl::Status RemoveRemains(FileSystem& folder);

class FolderStaging : public PayloadVisitor {
 public:
  // Borrows `folder`.
  explicit FolderStaging(FileSystem& folder) : folder_(folder) {}

  absl::Status Begin();
  absl::Status BeginEntry(absl::string_view key) override;
  absl::Status AddPayloadId(absl::string_view id) override;
  absl::Status AppendValue(absl::string_view bytes) override;
  absl::Status EndEntry() override;
  // Makes all of it visible and durable. After an error the caller removes the
  // remains.
  absl::Status Publish();

  uint64_t dropped_payload_ids() const { return dropped_payload_ids_; }

 private:
  // Syncs and leaves the folders that `path` is not in, makes those it is in.
  absl::Status EnterFoldersOf(absl::string_view path);
  absl::Status LeaveFolder();
  absl::Status WriteAll(absl::string_view bytes);
  absl::Status WritePublishing(const std::vector<std::string>& names);
  // Begins file_, new, at `path` in `in`.
  int Create(FileSystem& in, std::string path);

  FileSystem& folder_;
  std::unique_ptr<FileSystem> tree_;
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

#endif  // SLUICE_PLUGINS_MEMORY_FOLDER_STAGING_H_
