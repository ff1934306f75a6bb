#include "sluice/plugins/badger/restore/restore_publish.h"

#include <errno.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/restore/directory_writer.h"
#include "sluice/plugins/badger/sort/restore_file.h"

namespace sluice {
namespace badger {
namespace {

constexpr char kPublishing[] = ".sluice-restore/publishing";
// Ends `publishing`: without it the file was not yet whole, and nothing
// visible.
constexpr absl::string_view kPublishingEnd = "/end";
constexpr absl::string_view kLostAndFound = "lost+found";

absl::StatusOr<std::vector<DirectoryEntry>> ListFolder(
    FileSystem& folder, const std::string& path) {
  auto entries = folder.List(path);
  if (!entries.ok()) {
    return TargetError("list", path == "." ? "folder" : path, entries.error);
  }
  return std::move(entries.value);
}

// The names that an unfinished restore was making visible; none if it had not
// come that far.
absl::StatusOr<std::vector<std::string>> ReadPublishing(FileSystem& folder) {
  const absl::StatusOr<std::string> contents =
      ReadWholeFile(folder, kPublishing);
  if (absl::IsNotFound(contents.status())) return std::vector<std::string>();
  SLUICE_RETURN_IF_ERROR(contents.status());
  std::vector<std::string> names = absl::StrSplit(*contents, '\n');
  if (names.back() != kPublishingEnd) return std::vector<std::string>();
  names.pop_back();
  return names;
}

// The list goes after the staged files, durably: while there are such, the list
// says what is visible of them.
absl::Status RemoveStaging(FileSystem& folder) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> staged,
                          ListFolder(folder, kStagingFolder));
  for (const DirectoryEntry& entry : staged) {
    const std::string path = absl::StrCat(kStagingFolder, "/", entry.name);
    if (path != kPublishing) SLUICE_RETURN_IF_ERROR(RemoveTree(folder, path));
  }
  SLUICE_RETURN_IF_ERROR(SyncFolder(folder, kStagingFolder));
  SLUICE_RETURN_IF_ERROR(RemoveTree(folder, kStagingFolder));
  return SyncFolder(folder, ".");
}

absl::Status WritePublishing(FileSystem& folder,
                             const std::vector<std::string>& names) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file,
                          OutputFile::Create(folder, kPublishing));
  for (const std::string& name : names) {
    SLUICE_RETURN_IF_ERROR(file->Append(absl::StrCat(name, "\n")));
  }
  SLUICE_RETURN_IF_ERROR(file->Append(kPublishingEnd));
  SLUICE_RETURN_IF_ERROR(file->SyncAndClose());
  SLUICE_RETURN_IF_ERROR(SyncFolder(folder, kStagingFolder));
  return SyncFolder(folder, ".");
}

absl::Status Publish(FileSystem& folder, const std::string& staged,
                     const std::vector<std::string>& names) {
  // The list is durable before the first name is visible.
  SLUICE_RETURN_IF_ERROR(WritePublishing(folder, names));
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
                          ReadPublishing(folder));
  return std::all_of(
      entries.begin(), entries.end(), [&names](const DirectoryEntry& entry) {
        if (entry.type == FileInfo::Type::kDirectory) {
          return entry.name == kStagingFolder || entry.name == kLostAndFound;
        }
        return std::find(names.begin(), names.end(), entry.name) != names.end();
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
                          ReadPublishing(folder));
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
