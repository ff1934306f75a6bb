#include "sluice/destinations/local/object_walk.h"

#include <errno.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/local/object_path.h"

namespace sluice {
namespace {

// An entry by its place in the order: a folder's objects all begin with its
// name and '/'.
struct Entry {
  std::string key;   // whole name, of a folder with '/' at the end
  std::string path;  // where it lies
  bool folder = false;
};

// What a folder's rights or a bad block do to it, and to nothing beside it. The
// end of the whole place (ESTALE, ETIMEDOUT, too few descriptors) is none.
bool IsOfOneFolder(int error) {
  return error == EACCES || error == EPERM || error == EIO || error == ELOOP;
}

class Walk {
 public:
  Walk(const PlaceFolder& place, FileSystem& root, const sdk::Run& run,
       absl::string_view prefix, WalkFor what,
       const sdk::Place::Callback& callback)
      : place_(place),
        root_(root),
        run_(run),
        prefix_(prefix),
        what_(what),
        callback_(callback) {}

  absl::Status Folder(const std::string& folder) {
    SLUICE_RETURN_IF_ERROR(run_.status());
    const IoResult<std::vector<DirectoryEntry>> listed =
        root_.List(FolderPath(folder));
    // ENOTDIR: an object of that name, so none below it.
    if (listed.error == ENOENT || listed.error == ENOTDIR) {
      return absl::OkStatus();
    }
    if (IsHiddenBy(listed.error, folder)) return ReportUnreadable(folder);
    if (!listed.ok()) return place_.Error("list", folder, listed.error);
    if (listed.value.empty() && !folder.empty() &&
        what_ == WalkFor::kUncommitted) {
      return Report({absl::StrCat(folder, "/-"), folder + "/", true});
    }
    for (const Entry& entry : EntriesOf(folder, listed.value)) {
      SLUICE_RETURN_IF_ERROR(entry.folder ? Folder(JoinPath("", entry.path))
                                          : Report(entry));
    }
    return absl::OkStatus();
  }

 private:
  std::vector<Entry> EntriesOf(
      absl::string_view folder,
      const std::vector<DirectoryEntry>& listed) const {
    std::vector<Entry> entries;
    for (const DirectoryEntry& one : listed) {
      const bool is_folder = one.type == FileInfo::Type::kDirectory;
      if (!is_folder && one.type != FileInfo::Type::kRegular) continue;
      const absl::string_view name = is_folder || what_ == WalkFor::kObjects
                                         ? absl::string_view(one.name)
                                         : TargetOfTemporary(one.name);
      if (!IsSegment(name)) continue;
      Entry entry{JoinPath(folder, name), JoinPath(folder, one.name),
                  is_folder};
      if (is_folder) entry.key += '/';
      if (CanBeObject(entry) && CanMatch(entry)) {
        entries.push_back(std::move(entry));
      }
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) {
                return a.key != b.key ? a.key < b.key : a.path < b.path;
              });
    return entries;
  }

  // No object lies deeper than a name is long, whoever nested the folders.
  static bool CanBeObject(const Entry& entry) {
    return entry.key.size() + (entry.folder ? 1 : 0) <= kMaxNameBytes;
  }

  bool CanMatch(const Entry& entry) const {
    return absl::StartsWith(entry.key, prefix_) ||
           (entry.folder && absl::StartsWith(prefix_, entry.key));
  }

  absl::Status Report(const Entry& entry) {
    SLUICE_RETURN_IF_ERROR(run_.status());
    if (!absl::StartsWith(entry.key, prefix_)) return absl::OkStatus();
    const IoResult<FileInfo> info = root_.Stat(entry.path);
    if (info.error == ENOENT || info.error == ENOTDIR) return absl::OkStatus();
    if (IsHiddenBy(info.error, FolderOf(entry.path))) {
      return ReportUnreadable(FolderOf(entry.path));
    }
    if (!info.ok()) return place_.Error("look at", entry.path, info.error);
    sdk::ObjectInfo object;
    object.name = entry.key;
    object.size = entry.folder ? 0 : info.value.size;
    object.modified = ObjectTime(info.value);
    if (what_ == WalkFor::kUncommitted) object.upload = entry.path;
    return callback_(object);
  }

  // Of the folder that was asked for, the caller wants to hear the error.
  bool IsHiddenBy(int error, absl::string_view folder) const {
    return folder != FolderOf(prefix_) && IsOfOneFolder(error);
  }

  // Said once for each folder: a name that nothing can be opened by.
  absl::Status ReportUnreadable(absl::string_view folder) {
    if (what_ != WalkFor::kObjects || folder == unreadable_) {
      return absl::OkStatus();
    }
    unreadable_ = std::string(folder);
    sdk::ObjectInfo object;
    object.name = absl::StrCat(folder, "/-");
    return absl::StartsWith(object.name, prefix_) ? callback_(object)
                                                  : absl::OkStatus();
  }

  const PlaceFolder& place_;
  FileSystem& root_;
  const sdk::Run run_;
  const absl::string_view prefix_;
  const WalkFor what_;
  const sdk::Place::Callback& callback_;
  std::string unreadable_;  // the last folder of which that was said
};

}  // namespace

absl::Status WalkObjects(const PlaceFolder& place, FileSystem& root,
                         const sdk::Run& run, absl::string_view prefix,
                         WalkFor what, const sdk::Place::Callback& callback) {
  return Walk(place, root, run, prefix, what, callback)
      .Folder(std::string(FolderOf(prefix)));
}

}  // namespace sluice
