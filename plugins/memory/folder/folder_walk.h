#ifndef SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_WALK_H_
#define SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_WALK_H_

// Every entry below a folder that is no folder, in the order of their relative
// paths' bytes.
//
//   SLUICE_ASSIGN_OR_RETURN(FolderWalk walk,
//                           FolderWalk::Open(FileSystem::Posix(), "/data"));
//   while (true) {
//     SLUICE_ASSIGN_OR_RETURN(const FolderWalk::Item* item, walk.Next());
//     if (item == nullptr) break;
//     ...
//   }
//
// No symlink is followed but the folder's own. Other file systems mounted below
// are walked, too. Memory: the names of the folders on the path to the present
// one, so it grows with the largest folder, not with the tree. One thread. The
// order is the same at each walk while nothing changes.

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"

namespace sluice {
namespace memory_internal {

// PATH_MAX without its NUL: what a program can open by one name.
inline constexpr size_t kMaxPathBytes = 4095;

// "/data/caf\351" for people and logs: other than UTF-8 and control bytes are
// escaped.
std::string ShowPath(absl::string_view path);

class FolderWalk {
 public:
  struct Item {
    enum class Kind {
      kFile,
      kSymlink,
      kSpecial,           // a socket, a device, a FIFO
      kTooLong,           // a path beyond kMaxPathBytes: file or folder
      kFolderUnreadable,  // no permission
      kFolderVanished     // gone, or another thing, since it was listed
    };
    Kind kind = Kind::kFile;
    std::string path;  // relative to the folder
    // Where a file is opened: `name` in `folder`.
    FileSystem* folder = nullptr;
    std::string name;
  };

  // source_unavailable where `root` is no folder that can be listed, or holds
  // an unfinished restore.
  static absl::StatusOr<FolderWalk> Open(FileSystem* file_system,
                                         const std::string& root);

  // The next item, valid until the next call; null at the end. source_failed
  // for what is no matter of one entry: EIO, too many open files.
  absl::StatusOr<const Item*> Next();

 private:
  struct Level {
    std::shared_ptr<FileSystem> folder;
    std::string prefix;  // of this level below `folder`: "" or "a/b/"
    std::string path;    // of this level below the root: "" or "a/b/"
    std::vector<DirectoryEntry> entries;
    size_t next = 0;
  };

  FolderWalk() = default;
  // Takes the marker of a restore out of the top level; its error if the
  // restore is unfinished.
  absl::Status CheckMarker(const std::string& root);
  // Lists `level` and puts it on the stack.
  int Push(Level level);
  // Enters the folder that `item_` names. 0, or what kept it.
  int Descend(const DirectoryEntry& entry, const Level& parent);

  std::vector<Level> levels_;
  Item item_;
};

}  // namespace memory_internal
}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_WALK_H_
