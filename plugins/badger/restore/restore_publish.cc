#include "sluice/plugins/badger/restore/restore_publish.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/restore/directory_writer.h"

namespace sluice {
namespace badger {
namespace {

// Ends each name of the list: files of Badger have none in theirs.
constexpr char kAfterName = '\n';
constexpr absl::string_view kLostAndFound = "lost+found";

absl::StatusOr<std::vector<DirectoryEntry>> ListFolder(
    FileSystem& folder, const std::string& path) {
  auto entries = folder.List(path);
  if (!entries.ok()) {
    return TargetError("list", path == "." ? "folder" : path, entries.error);
  }
  return std::move(entries.value);
}

absl::Status Publish(FileSystem& folder, const std::string& staged,
                     const std::vector<std::string>& names) {
  SLUICE_RETURN_IF_ERROR(WritePublishing(folder, kAfterName, names));
  for (const std::string& file : names) {
    if (file == kManifestName) continue;
    SLUICE_RETURN_IF_ERROR(
        MoveTo(folder, absl::StrCat(staged, "/", file), file));
  }
  // Without its tables MANIFEST would be an error; tables without it are
  // nothing.
  SLUICE_RETURN_IF_ERROR(SyncFolder(folder, "."));
  if (std::find(names.begin(), names.end(), kManifestName) != names.end()) {
    SLUICE_RETURN_IF_ERROR(MoveTo(
        folder, absl::StrCat(staged, "/", kManifestName), kManifestName));
    SLUICE_RETURN_IF_ERROR(SyncFolder(folder, "."));
  }
  return RemoveStaging(folder);
}

}  // namespace

// MANIFEST goes first, so that at no time one stands there without its tables.
absl::Status Unpublish(FileSystem& folder,
                       const std::vector<std::string>& names) {
  SLUICE_RETURN_IF_ERROR(RemoveTree(folder, kManifestName));
  SLUICE_RETURN_IF_ERROR(SyncFolder(folder, "."));
  for (const std::string& name : names) {
    SLUICE_RETURN_IF_ERROR(RemoveTree(folder, name));
  }
  // What is visible goes before the list that says whose it is.
  return SyncFolder(folder, ".");
}

absl::StatusOr<bool> HoldsOnlyRemains(FileSystem& folder) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries,
                          ListFolder(folder, "."));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          ReadPublishing(folder, kAfterName));
  return std::all_of(
      entries.begin(), entries.end(), [&names](const DirectoryEntry& entry) {
        if (entry.type == FileInfo::Type::kDirectory) {
          return entry.name == kStagingFolder || entry.name == kLostAndFound;
        }
        return std::binary_search(names.begin(), names.end(), entry.name);
      });
}

absl::Status RemoveRemains(FileSystem& folder) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries,
                          ListFolder(folder, "."));
  const bool marked = std::any_of(
      entries.begin(), entries.end(),
      [](const DirectoryEntry& entry) { return entry.name == kStagingFolder; });
  if (!marked) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          ReadPublishing(folder, kAfterName));
  if (!names.empty()) SLUICE_RETURN_IF_ERROR(Unpublish(folder, names));
  return RemoveStaging(folder);
}

absl::StatusOr<std::vector<std::string>> PublishStaged(
    FileSystem& folder, const std::string& name) {
  const std::string staged = absl::StrCat(kStagingFolder, "/", name);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries,
                          ListFolder(folder, staged));
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const DirectoryEntry& entry : entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const absl::Status status = Publish(folder, staged, names);
  // By the names, because the list may be gone already.
  if (!status.ok()) Unpublish(folder, names).IgnoreError();
  SLUICE_RETURN_IF_ERROR(status);
  return names;
}

}  // namespace badger
}  // namespace sluice
