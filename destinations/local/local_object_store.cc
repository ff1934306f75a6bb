#include "sluice/destinations/local/local_object_store.h"

#include <errno.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/local/errors.h"
#include "sluice/destinations/local/object_file.h"
#include "sluice/destinations/local/object_path.h"
#include "sluice/destinations/local/object_walk.h"
#include "sluice/destinations/local/place_probe.h"

namespace sluice {

using sdk::ObjectInfo;
using sdk::ObjectReader;
using sdk::ObjectWriter;
using sdk::PlaceInfo;
using sdk::Run;

namespace {

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

LocalObjectStore::LocalObjectStore(const LocalOptions& options)
    : place_(options.file_system, WithoutSlash(options.path),
             options.allow_unsynced),
      clock_(options.clock) {}

absl::StatusOr<PlaceInfo> LocalObjectStore::Describe(const Run& run,
                                                     bool probe) {
  SLUICE_RETURN_IF_ERROR(run.status());
  PlaceInfo info;
  info.now = clock_->Now();
  absl::StatusOr<std::unique_ptr<FileSystem>> root = place_.Open();
  if (!root.ok()) {
    if (ErrorCodeOf(root.status()) == kDestinationNotFound) return info;
    return root.status();
  }
  info.exists = true;
  info.conditional_commit = true;
  const IoResult<uint64_t> largest = (*root)->LargestFile(".");
  if (!largest.ok()) return place_.Error("look at", "", largest.error);
  info.max_object_bytes = largest.value;
  if (!probe) {
    // Commits are refused where folders cannot be synced, so what there is can.
    info.durable_commit =
        !place_.allow_unsynced() || (*root)->SyncDirectory(".") == 0;
    return info;
  }
  SLUICE_ASSIGN_OR_RETURN(const ProbeResult found, ProbePlace(place_, **root));
  info.now = found.now;
  info.conditional_commit = found.publishes_without_replacing;
  info.durable_commit = found.syncs_folders;
  // Says the reason and the hint.
  SLUICE_RETURN_IF_ERROR(place_.SyncFolder(**root, ""));
  return info;
}

absl::Status LocalObjectStore::Create(const Run& run) {
  SLUICE_RETURN_IF_ERROR(run.status());
  return place_.Create();
}

absl::StatusOr<std::unique_ptr<ObjectWriter>> LocalObjectStore::Begin(
    const Run& run, absl::string_view name, uint64_t size_hint) {
  SLUICE_RETURN_IF_ERROR(run.status());
  SLUICE_RETURN_IF_ERROR(CheckObjectName(name));
  return BeginObjectFile(place_, run, name);
}

absl::StatusOr<std::unique_ptr<ObjectReader>> LocalObjectStore::Open(
    const Run& run, absl::string_view name, uint64_t offset) {
  SLUICE_RETURN_IF_ERROR(run.status());
  SLUICE_RETURN_IF_ERROR(CheckObjectName(name));
  return OpenObjectFile(place_, run, name, offset);
}

absl::StatusOr<ObjectInfo> LocalObjectStore::Stat(const Run& run,
                                                  absl::string_view name) {
  SLUICE_RETURN_IF_ERROR(run.status());
  SLUICE_RETURN_IF_ERROR(CheckObjectName(name));
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> root,
                          place_.Open());
  SLUICE_RETURN_IF_ERROR(place_.SettleName(*root, name));
  const IoResult<FileInfo> info = root->Stat(std::string(name));
  if (info.error == ENOENT) return NoSuchObject(place_, "look at", name);
  if (!info.ok()) return place_.Error("look at", name, info.error);
  if (info.value.type != FileInfo::Type::kRegular) {
    return place_.Error("look at", name, EISDIR);
  }
  ObjectInfo object;
  object.name = std::string(name);
  object.size = info.value.size;
  object.modified = ObjectTime(info.value);
  return object;
}

absl::Status LocalObjectStore::List(const Run& run, absl::string_view prefix,
                                    const Callback& callback) {
  return Walk(run, prefix, WalkFor::kObjects, callback);
}

absl::Status LocalObjectStore::ListUncommitted(const Run& run,
                                               absl::string_view prefix,
                                               const Callback& callback) {
  return Walk(run, prefix, WalkFor::kUncommitted, callback);
}

absl::Status LocalObjectStore::Walk(const Run& run, absl::string_view prefix,
                                    WalkFor what, const Callback& callback) {
  SLUICE_RETURN_IF_ERROR(run.status());
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> root,
                          place_.Open());
  if (!IsObjectPrefix(prefix)) return absl::OkStatus();  // nothing begins so
  return WalkObjects(place_, *root, run, prefix, what, callback);
}

absl::Status LocalObjectStore::Delete(const Run& run, absl::string_view name) {
  SLUICE_RETURN_IF_ERROR(run.status());
  SLUICE_RETURN_IF_ERROR(CheckObjectName(name));
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> root,
                          place_.Open());
  SLUICE_RETURN_IF_ERROR(place_.SettleName(*root, name));
  SLUICE_RETURN_IF_ERROR(Remove(*root, name));
  place_.RemoveEmpty(*root, FolderOf(name));
  const absl::Status synced = place_.SyncNearest(*root, FolderOf(name));
  if (synced.ok()) return synced;
  place_.MarkUncertain(name);
  return Uncertain(synced);
}

absl::Status LocalObjectStore::Remove(FileSystem& root,
                                      absl::string_view name) {
  const int error = root.Unlink(std::string(name));
  if (error == 0) return absl::OkStatus();
  if (error == ENOENT) return NoSuchObject(place_, "delete", name);
  // The answer may be that of a request whose first answer was lost.
  const int there = root.Stat(std::string(name)).error;
  if (there == ENOENT) return absl::OkStatus();
  const absl::Status failed = place_.Error("delete", name, error);
  if (there == 0 || there == ENOTDIR) return failed;
  place_.MarkUncertain(name);
  return Uncertain(failed);
}

absl::Status LocalObjectStore::AbortUncommitted(const Run& run,
                                                absl::string_view upload) {
  SLUICE_RETURN_IF_ERROR(run.status());
  const absl::string_view folder = FolderOf(upload);
  const absl::string_view last = LastSegment(upload);
  const bool is_folder = last.empty() && !folder.empty();
  if ((!folder.empty() && !CheckObjectName(folder).ok()) ||
      (!is_folder && TargetOfTemporary(last).empty())) {
    return InvalidArgument(
        absl::StrCat("not an upload here: '", upload.substr(0, 100), "'"));
  }
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> root,
                          place_.Open());
  const int error = is_folder ? root->RemoveDirectory(std::string(folder))
                              : root->Unlink(std::string(upload));
  if (error == ENOENT || error == ENOTEMPTY) {
    return NoSuchObject(place_, "abort", upload);
  }
  if (error != 0) return place_.Error("abort", upload, error);
  place_.RemoveEmpty(*root, folder);
  return absl::OkStatus();
}

}  // namespace sluice
