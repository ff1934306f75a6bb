#ifndef SLUICE_BASE_STAGED_FILES_H_
#define SLUICE_BASE_STAGED_FILES_H_

// The file operations that every restore into a folder has in common: what is
// staged beneath the target, synced, and then renamed into it.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(MakeFolder(target, ".sluice-restore"));
//   SLUICE_RETURN_IF_ERROR(WriteAndSync(target, ".sluice-restore/data"));
//   SLUICE_RETURN_IF_ERROR(MoveTo(target, ".sluice-restore/data", "data"));
//   SLUICE_RETURN_IF_ERROR(SyncFolder(target, "."));
//   SLUICE_RETURN_IF_ERROR(RemoveTree(target, ".sluice-restore"));
//
// What is made belongs to us, or, where we are root, to the owner of the
// target: a service opens its own files only.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const FileOwner owner, FileOwner::Of(target));
//   SLUICE_RETURN_IF_ERROR(owner.Give(*file, path));
//
// Each call is repeated where a signal interrupts it. Paths are relative to a
// folder of FileSystem::Beneath, which is borrowed for the call. Any thread.
// Cost: a system call each; SyncFolder waits for the disk; RemoveTree has some
// for each file. Errors: source_no_space for a full
// disk, source_permission_denied and source_read_only where something is not
// permitted, source_failed for the rest.

#include <errno.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"

namespace sluice {

// "write file a/b: no space left", with the word that `error` has. Control
// bytes in the path are escaped.
absl::Status TargetError(absl::string_view what, absl::string_view path,
                         int error);
// The same, or OK for 0.
absl::Status TargetStatus(absl::string_view what, absl::string_view path,
                          int error);

// Who owns what a restore makes. A value.
class FileOwner {
 public:
  // Us, and nothing is given.
  FileOwner() = default;
  // User and group of `folder` itself, where we are root; else us.
  static absl::StatusOr<FileOwner> Of(FileSystem& folder);

  // A new file or folder, that is open; `path` is for messages. By descriptor:
  // a name may be another's by now.
  absl::Status Give(const File& file, absl::string_view path) const;
  absl::Status GiveFolder(FileSystem& folder, const std::string& path) const;

 private:
  bool gives_ = false;
  uid_t user_ = 0;
  gid_t group_ = 0;
};

// The same for a store that cannot even be opened: the rest is
// source_unavailable.
absl::Status OpenError(absl::string_view what, absl::string_view path,
                       int error);

absl::Status MakeFolder(FileSystem& folder, const std::string& path);
absl::Status SyncFolder(FileSystem& folder, const std::string& path);
// A file, or a folder with all in it; OK where there is none.
absl::Status RemoveTree(FileSystem& folder, const std::string& path);
// To a name that is free.
absl::Status MoveTo(FileSystem& folder, const std::string& from,
                    const std::string& to);
// The list that tells what a killed restore had made visible from a user's
// files. It is durable before the first name is visible, and goes last:
//
//   1. all is staged in kStagingFolder, synced
//   2. WritePublishing(target, '\n', names)
//   3. MoveTo for each of the names; SyncFolder(target, ".")
//   4. RemoveStaging(target)
//
// While anything is in kStagingFolder the restore is unfinished, and the target
// no store. Who finds it takes away what ReadPublishing names, syncs the target,
// and then RemoveStaging.
inline constexpr char kStagingFolder[] = ".sluice-restore";

// `after_name` stands behind each name, and in none. Durable when it returns.
absl::Status WritePublishing(FileSystem& target, char after_name,
                             const std::vector<std::string>& names);
// The names, ascending; none where the list is not whole: nothing was visible
// then.
absl::StatusOr<std::vector<std::string>> ReadPublishing(FileSystem& target,
                                                        char after_name);
// Removes what is staged, then, durably, the list. All is durable after it.
absl::Status RemoveStaging(FileSystem& target);

// All of a file, which is short; NOT_FOUND where there is none.
absl::StatusOr<std::string> ReadWholeFile(FileSystem& folder,
                                          const std::string& path);

}  // namespace sluice

#endif  // SLUICE_BASE_STAGED_FILES_H_
