#include "sluice/plugins/memory/folder/folder_target.h"

#include <errno.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/folder_lock.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/folder/folder_staging.h"
#include "sluice/plugins/memory/folder/folder_walk.h"
#include "sluice/plugins/memory/payload/payload_reading.h"
#include "sluice/plugins/sdk/empty_restore.h"

namespace sluice {
namespace {

using memory_internal::FolderStaging;
using memory_internal::HoldsOnlyRemains;
using memory_internal::ReadPayloads;
using memory_internal::RemoveRemains;
using memory_internal::ShowPath;

// "/a/b/" is beneath "/a", "b" beneath ".".
std::string ParentOf(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  const size_t slash = folder.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : folder.substr(0, slash);
}

class FolderTarget : public sdk::Source {
 public:
  FolderTarget(FileSystem* file_system, FolderTargetOptions options)
      : file_system_(file_system), options_(std::move(options)) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    sdk::SourceInfo info;
    info.store_id = options_.store_id;
    auto folder = file_system_->Beneath(options_.folder);
    if (folder.error == ENOENT) {
      SLUICE_RETURN_IF_ERROR(CheckParent());
      info.empty = true;
      return info;
    }
    if (!folder.ok()) return Unavailable(folder.error);
    const auto empty = HoldsOnlyRemains(*folder.value);
    if (!empty.ok()) return InFolder(empty.status());
    info.empty = *empty;
    return info;
  }

  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    return WithHint(
        MakeError(absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
                  "backup: a folder given as save= is only restored into"),
        "give it as memory:?load=DIR");
  }

  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    SLUICE_ASSIGN_OR_RETURN(const bool made, MakeFolderIfAbsent());
    auto lock = Lock(request);
    if (!lock.ok()) return InFolder(lock.status());
    const absl::Status status = RestoreInto(run, request);
    // The folder that we made goes again; it stays where anything is in it.
    // Only while it is locked: it may have become another restore's.
    if (!status.ok() && made) file_system_->RemoveDirectory(options_.folder);
    return status.ok() ? status : InFolder(status);
  }

 private:
  // While it is held, what is staged there is ours. Of the machine's folders.
  absl::StatusOr<std::unique_ptr<FolderLock>> Lock(
      sdk::RestoreRequest& request) {
    if (file_system_ != FileSystem::Posix()) return nullptr;
    SLUICE_ASSIGN_OR_RETURN(auto lock,
                            FolderLock::TakeForRestore(options_.folder));
    if (lock == nullptr) {
      request.AddWarning("target_not_locked",
                         "the file system has no lock for a folder: a second "
                         "restore into it at once would not have been refused");
    }
    return lock;
  }

  absl::Status RestoreInto(const sdk::Run& run, sdk::RestoreRequest& request) {
    auto opened = file_system_->Beneath(options_.folder);
    if (!opened.ok()) return Unavailable(opened.error);
    FileSystem& folder = *opened.value;
    SLUICE_ASSIGN_OR_RETURN(const bool empty, HoldsOnlyRemains(folder));
    if (!empty) {
      return MakeError(absl::StatusCode::kFailedPrecondition,
                       kRestorePreconditionFailed, "it is not empty");
    }
    SLUICE_RETURN_IF_ERROR(RemoveRemains(folder));
    FolderStaging staging(folder, options_.few_files);
    absl::Status status = StageAndPublish(run, request, staging);
    if (!status.ok()) {
      // What cannot be removed stays marked as unfinished, for the next one.
      RemoveRemains(folder).IgnoreError();
      return status;
    }
    if (staging.dropped_payload_ids() > 0) {
      request.AddWarning(
          "payload_ids_dropped",
          absl::StrCat("a folder keeps no payload ids: ",
                       staging.dropped_payload_ids(), " were left out"));
    }
    return absl::OkStatus();
  }

  static absl::Status StageAndPublish(const sdk::Run& run,
                                      sdk::RestoreRequest& request,
                                      FolderStaging& staging) {
    SLUICE_RETURN_IF_ERROR(staging.Begin());
    SLUICE_RETURN_IF_ERROR(ReadPayloads(run, request, staging));
    SLUICE_RETURN_IF_ERROR(run.status());
    if (staging.files() == 0 && sdk::MustHoldSomething(request)) {
      return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                                kSourceEmpty, "the file holds no key"),
                      "--allow-empty restores an empty store");
    }
    return staging.Publish();
  }

  // True if it was made.
  absl::StatusOr<bool> MakeFolderIfAbsent() {
    const int error = file_system_->MakeDirectory(options_.folder, 0700);
    if (error == EEXIST) return false;
    if (error != 0) return Unavailable(error);
    const int synced = file_system_->SyncDirectory(ParentOf(options_.folder));
    if (synced == 0) return true;
    file_system_->RemoveDirectory(options_.folder);
    return TargetError("sync", ParentOf(options_.folder), synced);
  }

  absl::Status CheckParent() {
    const auto parent = file_system_->Beneath(ParentOf(options_.folder));
    return parent.ok() ? absl::OkStatus() : Unavailable(parent.error);
  }

  absl::Status Unavailable(int error) const {
    return OpenError("restore into folder", options_.folder, error);
  }

  absl::Status InFolder(const absl::Status& status) const {
    return Annotate(status, absl::StrCat("restore into folder ",
                                         ShowPath(options_.folder)));
  }

  FileSystem* const file_system_;
  const FolderTargetOptions options_;
};

}  // namespace

std::unique_ptr<sdk::Source> MakeFolderTarget(FileSystem* file_system,
                                              FolderTargetOptions options) {
  return std::make_unique<FolderTarget>(file_system, std::move(options));
}

}  // namespace sluice
