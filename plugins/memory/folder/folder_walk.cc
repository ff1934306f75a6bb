#include "sluice/plugins/memory/folder/folder_walk.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace memory_internal {
namespace {

// So many levels hold a descriptor of their own. Below, paths are relative to
// the last of these: slower, but no depth runs out of descriptors.
constexpr size_t kMaxOpenFolders = 64;

// A folder's keys begin with its name and a slash.
bool ComesBefore(const DirectoryEntry& a, const DirectoryEntry& b) {
  const size_t common = std::min(a.name.size(), b.name.size());
  if (const int order = std::memcmp(a.name.data(), b.name.data(), common);
      order != 0) {
    return order < 0;
  }
  const auto next = [common](const DirectoryEntry& entry) {
    if (entry.name.size() > common) {
      return static_cast<int>(static_cast<unsigned char>(entry.name[common]));
    }
    return entry.type == FileInfo::Type::kDirectory ? int{'/'} : -1;
  };
  return next(a) < next(b);
}

absl::Status Unavailable(const std::string& root, absl::string_view why) {
  return MakeError(absl::StatusCode::kUnavailable, kSourceUnavailable,
                   absl::StrCat("read folder ", ShowPath(root), ": ", why));
}

}  // namespace

std::string ShowPath(absl::string_view path) {
  return absl::Utf8SafeCEscape(path);
}

absl::StatusOr<FolderWalk> FolderWalk::Open(FileSystem* file_system,
                                            const std::string& root) {
  auto folder = file_system->Beneath(root);
  if (!folder.ok()) return OpenError("read folder", root, folder.error);
  FolderWalk walk;
  Level level;
  level.folder = std::move(folder.value);
  if (const int error = walk.Push(std::move(level)); error != 0) {
    return OpenError("read folder", root, error);
  }
  SLUICE_RETURN_IF_ERROR(walk.CheckMarker(root));
  return walk;
}

absl::Status FolderWalk::CheckMarker(const std::string& root) {
  Level& top = levels_.front();
  const auto marker = std::find_if(
      top.entries.begin(), top.entries.end(),
      [](const DirectoryEntry& entry) { return entry.name == kStagingFolder; });
  if (marker == top.entries.end()) return absl::OkStatus();
  const auto inside = top.folder->List(marker->name);
  if (!inside.ok() || !inside.value.empty()) {
    return WithHint(
        Unavailable(root, "it holds an unfinished restore, so it is not whole"),
        absl::StrCat("restore into it again, or remove ", kStagingFolder,
                     " from it"));
  }
  top.entries.erase(marker);
  return absl::OkStatus();
}

absl::StatusOr<const FolderWalk::Item*> FolderWalk::Next() {
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.next == level.entries.size()) {
      levels_.pop_back();
      continue;
    }
    const DirectoryEntry entry = std::move(level.entries[level.next++]);
    item_.path = absl::StrCat(level.path, entry.name);
    item_.folder = level.folder.get();
    item_.name = absl::StrCat(level.prefix, entry.name);
    if (item_.path.size() > kMaxPathBytes) {
      item_.kind = Item::Kind::kTooLong;
      return &item_;
    }
    switch (entry.type) {
      case FileInfo::Type::kRegular:
        item_.kind = Item::Kind::kFile;
        return &item_;
      case FileInfo::Type::kSymlink:
        item_.kind = Item::Kind::kSymlink;
        return &item_;
      case FileInfo::Type::kOther:
        item_.kind = Item::Kind::kSpecial;
        return &item_;
      case FileInfo::Type::kDirectory:
        break;
    }
    switch (const int error = Descend(entry, level)) {
      case 0:
        break;
      case EACCES:
      case EPERM:
        item_.kind = Item::Kind::kFolderUnreadable;
        return &item_;
      case ENOENT:
      case ENOTDIR:
      case ELOOP:
        item_.kind = Item::Kind::kFolderVanished;
        return &item_;
      default:
        return MakeError(absl::StatusCode::kUnavailable, kSourceFailed,
                         absl::StrCat("read folder ", ShowPath(item_.path),
                                      ": ", std::strerror(error)));
    }
  }
  return nullptr;
}

int FolderWalk::Push(Level level) {
  auto entries = level.folder->List(level.prefix.empty() ? "." : level.prefix);
  if (!entries.ok()) return entries.error;
  level.entries = std::move(entries.value);
  std::sort(level.entries.begin(), level.entries.end(), ComesBefore);
  levels_.push_back(std::move(level));
  return 0;
}

int FolderWalk::Descend(const DirectoryEntry& entry, const Level& parent) {
  Level level;
  level.path = absl::StrCat(parent.path, entry.name, "/");
  if (levels_.size() < kMaxOpenFolders) {
    auto folder = parent.folder->Beneath(item_.name);
    if (!folder.ok()) return folder.error;
    level.folder = std::move(folder.value);
  } else {
    level.folder = parent.folder;
    level.prefix = absl::StrCat(parent.prefix, entry.name, "/");
  }
  return Push(std::move(level));
}

}  // namespace memory_internal
}  // namespace sluice
