#include "sluice/plugins/memory/folder/folder_staging.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/folder/folder_walk.h"

namespace sluice {
namespace memory_internal {
namespace {

constexpr uint32_t kFolderMode = 0700;
constexpr uint32_t kFileMode = 0600;
constexpr size_t kMaxNameBytes = 255;
constexpr size_t kHoleBytes = 16 << 10;
// A file this large takes longer to write than to sync. Syncing it by itself
// keeps the last sync short.
constexpr uint64_t kLargeFileBytes = 4 << 20;
constexpr absl::string_view kTree = ".sluice-restore/tree";
// Ends each name of the list of what is made visible.
constexpr char kAfterName = '\0';

absl::Status Refused(absl::string_view key, absl::string_view why) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, kRestorePreconditionFailed,
      absl::StrCat("restore key \"", ShowPath(key), "\" as a file: ", why));
}

bool IsZero(absl::string_view bytes) {
  // Equal to itself one byte on, and the first is 0: memcmp is the fastest
  // loop there is.
  return bytes.empty() ||
         (bytes[0] == 0 &&
          std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// A name that this file system does not take.
bool IsNoName(int error) {
  return error == ENAMETOOLONG || error == EILSEQ || error == EINVAL;
}

}  // namespace

absl::Status CheckKeyIsSafePath(absl::string_view key) {
  if (key.empty()) return Refused(key, "it is empty");
  if (key.size() > kMaxPathBytes) return Refused(key, "beyond 4,095 bytes");
  if (absl::StrContains(key, absl::string_view("\0", 1))) {
    return Refused(key, "it has a NUL byte");
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(key, '/');
  if (parts.front() == kStagingFolder) {
    return Refused(key, "the name is Sluice's own");
  }
  for (const absl::string_view part : parts) {
    if (part.empty()) return Refused(key, "a part of the path is empty");
    if (part == "." || part == "..") {
      return Refused(key, "\".\" or \"..\" in the path");
    }
    if (part.size() > kMaxNameBytes) {
      return Refused(key, "a part beyond 255 bytes");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> HoldsOnlyRemains(FileSystem& folder) {
  const auto entries = folder.List(".");
  if (!entries.ok()) return TargetError("list", "folder", entries.error);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          ReadPublishing(folder, kAfterName));
  return std::all_of(entries.value.begin(), entries.value.end(),
                     [&names](const DirectoryEntry& entry) {
                       return entry.name == kStagingFolder ||
                              std::binary_search(names.begin(), names.end(),
                                                 entry.name);
                     });
}

absl::Status RemoveRemains(FileSystem& folder) {
  const auto info = folder.Stat(kStagingFolder);
  if (info.error == ENOENT) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          ReadPublishing(folder, kAfterName));
  for (const std::string& name : names) {
    SLUICE_RETURN_IF_ERROR(RemoveTree(folder, name));
  }
  // What is visible goes before the list that says whose it is.
  if (!names.empty()) SLUICE_RETURN_IF_ERROR(SyncFolder(folder, "."));
  return RemoveStaging(folder);
}

absl::Status FolderStaging::Begin() {
  SLUICE_ASSIGN_OR_RETURN(owner_, FileOwner::Of(folder_));
  SLUICE_RETURN_IF_ERROR(MakeFolder(folder_, kStagingFolder));
  SLUICE_RETURN_IF_ERROR(MakeFolder(folder_, std::string(kTree)));
  auto tree = folder_.Beneath(std::string(kTree));
  if (!tree.ok()) return TargetError("open folder", kTree, tree.error);
  tree_ = std::move(tree.value);
  auto opened = tree_->Open(".", O_RDONLY | O_DIRECTORY, 0);
  if (!opened.ok()) return TargetError("open folder", kTree, opened.error);
  tree_folder_ = std::move(opened.value);
  return absl::OkStatus();
}

absl::Status FolderStaging::BeginEntry(absl::string_view key) {
  SLUICE_RETURN_IF_ERROR(CheckKeyIsSafePath(key));
  SLUICE_RETURN_IF_ERROR(EnterFoldersOf(key));
  const int error = Create(std::string(key));
  if (error == EEXIST) {
    return Refused(key, "another key has that name on this file system");
  }
  if (IsNoName(error)) return Refused(key, std::strerror(error));
  if (error != 0) return TargetError("create file", path_, error);
  return owner_.Give(*file_, path_);
}

int FolderStaging::Create(std::string path) {
  path_ = std::move(path);
  auto file =
      tree_->Open(path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode);
  if (!file.ok()) return file.error;
  file_ = std::move(file.value);
  size_ = 0;
  ends_in_hole_ = false;
  return 0;
}

absl::Status FolderStaging::EnterFoldersOf(absl::string_view path) {
  while (!absl::StartsWith(path, inside_)) {
    SLUICE_RETURN_IF_ERROR(LeaveFolder());
  }
  while (true) {
    const size_t slash = path.find('/', inside_.size());
    if (slash == absl::string_view::npos) return absl::OkStatus();
    const std::string folder(path.substr(0, slash));
    const int error = tree_->MakeDirectory(folder, kFolderMode);
    if (error == EEXIST) {
      return Refused(path, "a folder on its way has the name of another key");
    }
    if (IsNoName(error)) return Refused(path, std::strerror(error));
    if (error != 0) return TargetError("make folder", folder, error);
    inside_ = std::string(path.substr(0, slash + 1));
  }
}

absl::Status FolderStaging::LeaveFolder() {
  inside_.pop_back();
  SLUICE_RETURN_IF_ERROR(owner_.GiveFolder(*tree_, inside_));
  if (syncing_ != Syncing::kAtOnce) {
    SLUICE_RETURN_IF_ERROR(SyncFolder(*tree_, inside_));
  }
  const size_t slash = inside_.rfind('/');
  inside_.resize(slash == std::string::npos ? 0 : slash + 1);
  return absl::OkStatus();
}

absl::Status FolderStaging::AddPayloadId(absl::string_view id) {
  ++dropped_payload_ids_;
  return absl::OkStatus();
}

// Blocks of zeros that lie where a hole can, are one; all between two holes is
// one write.
absl::Status FolderStaging::AppendValue(absl::string_view bytes) {
  while (!bytes.empty()) {
    size_t solid = 0;
    size_t hole = 0;
    while (solid < bytes.size() && hole == 0) {
      const absl::string_view block =
          bytes.substr(solid, kHoleBytes - (size_ + solid) % kHoleBytes);
      if (block.size() == kHoleBytes && IsZero(block)) {
        hole = block.size();
      } else {
        solid += block.size();
      }
    }
    SLUICE_RETURN_IF_ERROR(WriteAll(bytes.substr(0, solid)));
    size_ += solid + hole;
    ends_in_hole_ = hole > 0;
    bytes.remove_prefix(solid + hole);
  }
  return absl::OkStatus();
}

// At size_.
absl::Status FolderStaging::WriteAll(absl::string_view bytes) {
  return TargetStatus("write file", path_, WriteAllAt(*file_, size_, bytes));
}

absl::Status FolderStaging::EndEntry() {
  if (ends_in_hole_) {
    const int error = file_->Truncate(size_);
    if (error != 0) return TargetError("write file", path_, error);
  }
  SLUICE_RETURN_IF_ERROR(SyncFile());
  if (const int error = file_->Close(); error != 0) {
    return TargetError("close file", path_, error);
  }
  file_ = nullptr;
  ++files_;
  return absl::OkStatus();
}

absl::Status FolderStaging::SyncFile() {
  if (size_ < kLargeFileBytes) {
    SLUICE_ASSIGN_OR_RETURN(const bool at_once, CanSyncAtOnce());
    if (at_once) return absl::OkStatus();
  }
  const int error = file_->Sync();
  return error == 0 ? absl::OkStatus() : TargetError("sync file", path_, error);
}

absl::StatusOr<bool> FolderStaging::CanSyncAtOnce() {
  if (syncing_ != Syncing::kEach || files_ < few_files_) {
    return syncing_ == Syncing::kAtOnce;
  }
  // The way to learn whether it can is to do it.
  const int error = tree_folder_->SyncFileSystem();
  if (error != 0 && error != ENOTSUP) {
    return TargetError("sync file system of", kTree, error);
  }
  syncing_ = error == 0 ? Syncing::kAtOnce : Syncing::kEachForGood;
  return error == 0;
}

absl::Status FolderStaging::SyncTree() {
  while (!inside_.empty()) SLUICE_RETURN_IF_ERROR(LeaveFolder());
  if (syncing_ != Syncing::kAtOnce) {
    return SyncFolder(folder_, std::string(kTree));
  }
  const int error = tree_folder_->SyncFileSystem();
  return error == 0 ? absl::OkStatus()
                    : TargetError("sync file system of", kTree, error);
}

absl::Status FolderStaging::Publish() {
  const std::string tree(kTree);
  SLUICE_RETURN_IF_ERROR(SyncTree());
  const auto entries = folder_.List(tree);
  if (!entries.ok()) return TargetError("list", tree, entries.error);
  std::vector<std::string> names;
  names.reserve(entries.value.size());
  for (const DirectoryEntry& entry : entries.value) names.push_back(entry.name);
  std::sort(names.begin(), names.end());

  SLUICE_RETURN_IF_ERROR(WritePublishing(folder_, kAfterName, names));
  for (const std::string& name : names) {
    SLUICE_RETURN_IF_ERROR(
        MoveTo(folder_, absl::StrCat(kTree, "/", name), name));
  }
  // All names are durable before the marker goes.
  SLUICE_RETURN_IF_ERROR(SyncFolder(folder_, "."));
  tree_folder_ = nullptr;
  tree_ = nullptr;
  return RemoveStaging(folder_);
}

}  // namespace memory_internal
}  // namespace sluice
