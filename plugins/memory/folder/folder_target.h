#ifndef SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_TARGET_H_
#define SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_TARGET_H_

// A folder that a memory store is restored into: memory:?save=DIR. Each key
// becomes a file below DIR, mode 0600, in folders of mode 0700; each value its
// bytes. Payload ids are not kept: a folder has no place for them.
//
// DIR is empty or absent (then it is made; its parent must be there), and may
// be a mount point. Two phases:
//
//   1. All files are written below DIR/.sluice-restore/tree, and synced: the
//      first few by themselves, more with one sync of the whole file system. A
//      failure here removes that again; nothing else was ever visible.
//   2. After the payload's end was found right: DIR/.sluice-restore/publishing
//      is written, with the names at the top of the tree; each of these is
//      renamed into DIR; last, .sluice-restore is removed.
//
// So DIR is all or nothing where it holds no .sluice-restore, or an empty one.
// Meanwhile DIR is locked (base/folder_lock.h), so that a second restore into
// it is refused with restore_precondition_failed; where the file system cannot,
// the warning target_not_locked says so.
//
// A crash in between leaves something in it: FolderSource refuses such a DIR; a
// later restore takes away what `publishing` names and .sluice-restore itself,
// and begins anew. It touches nothing else: a DIR with any other entry is not
// empty, and is refused.
//
// Refused with restore_precondition_failed before phase 2: a key that is no
// safe relative path (empty, absolute, a part that is empty, "." or "..", a
// NUL, a part beyond 255 bytes, 4,095 in all, the top part .sluice-restore),
// and keys that cannot both be files ("a" and "a/b"; names that the file system
// takes for one, such as "a" and "A" on some). Paths are resolved beneath DIR,
// never through a symlink.
//
// Other errors: source_unavailable (DIR is no folder),
// source_permission_denied, source_no_space, source_failed. Runs of 64 KiB of
// zeros are left out as holes. Memory: the names at the top of DIR, and nothing
// that grows with files or depth.

#include <cstdint>
#include <memory>
#include <string>

#include "sluice/base/file_system.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {

struct FolderTargetOptions {
  std::string folder;
  std::string store_id;  // the guard: only this store's archives; empty: any
  // So many files are synced by themselves: it disturbs no other program. From
  // there on the whole file system is synced, once at the end.
  uint64_t few_files = 16;
};

// Borrows `file_system`.
std::unique_ptr<sdk::Source> MakeFolderTarget(FileSystem* file_system,
                                              FolderTargetOptions options);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_TARGET_H_
