#include "sluice/plugins/badger/source.h"

#include <errno.h>
#include <string.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/backup_run.h"
#include "sluice/plugins/badger/live_digest.h"
#include "sluice/plugins/badger/restore.h"
#include "sluice/plugins/badger/restore_publish.h"
#include "sluice/plugins/badger/store_id.h"

namespace sluice {
namespace badger {
namespace {

absl::Status Unavailable(const std::string& folder, absl::string_view what) {
  return MakeError(absl::StatusCode::kUnavailable, kSourceUnavailable,
                   absl::StrCat(folder, ": ", what));
}

bool FindNumber(const sdk::Metadata& metadata, const char* key,
                uint64_t& number) {
  const auto found = metadata.find(key);
  return found != metadata.end() && absl::SimpleAtoi(found->second, &number);
}

// What the last payload of a chain says was alive; a stream of another tool
// says nothing.
void ExpectLive(const sdk::Metadata& metadata, RestoreOptions& options) {
  LiveTotals live;
  uint64_t at = 0;
  const auto digest = metadata.find(kLiveDigestMetadata);
  if (digest == metadata.end() ||
      !FindNumber(metadata, kLiveKeysMetadata, live.keys) ||
      !FindNumber(metadata, kLiveAtMetadata, at)) {
    return;
  }
  live.digest = digest->second;
  options.stager.live_at = at;
  options.expected = std::move(live);
}

class BadgerSource final : public sdk::Source {
 public:
  BadgerSource(SourceOptions options, FileSystem* files)
      : options_(std::move(options)), files_(files) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    sdk::SourceInfo info;
    info.increments = true;
    info.store_id = options_.store_id;
    SLUICE_ASSIGN_OR_RETURN(info.empty, IsEmptyTarget(files_, options_.folder));
    if (info.empty || !options_.store_id.empty()) return info;
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> folder, Open());
    auto id = ReadStoreId(*folder);
    if (!id.ok()) return Annotate(id.status(), options_.folder);
    info.store_id = *std::move(id);
    return info;
  }

  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_RETURN_IF_ERROR(CheckDatabase());
    SLUICE_RETURN_IF_ERROR(KeepId());
    return BackupRun(options_, files_, run, request).Stream(sink);
  }

  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    SLUICE_RETURN_IF_ERROR(CheckValueFolder());
    RestoreOptions options;
    options.hold_lock = files_ == FileSystem::Posix();
    options.stager.directory.table.format = options_.restore_format;
    if (IsStoreId(request.store_id())) {
      options.companions[kStoreIdFile] = StoreIdContents(request.store_id());
    }
    if (!request.payloads().empty()) {
      ExpectLive(request.payloads().back()->metadata(), options);
    }
    if (!options_.master_key.empty()) {
      request.AddWarning("badger_restored_plain",
                         "the tables are not encrypted; Badger encrypts them "
                         "as it compacts, when it is opened with the key");
    }
    return RestoreDirectory(files_, options_.folder, options, run,
                            request.payloads())
        .status();
  }

 private:
  absl::StatusOr<std::unique_ptr<FileSystem>> Open() const {
    auto folder = files_->Beneath(options_.folder);
    if (folder.ok()) return std::move(folder.value);
    return Unavailable(options_.folder, strerror(folder.error));
  }

  // That there is one, before anything is made for its sake.
  absl::Status CheckDatabase() const {
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> folder, Open());
    const auto manifest = folder->Stat("MANIFEST");
    if (manifest.ok()) return absl::OkStatus();
    if (manifest.error != ENOENT) {
      return Unavailable(options_.folder, strerror(manifest.error));
    }
    SLUICE_ASSIGN_OR_RETURN(const bool empty, HoldsOnlyRemains(*folder));
    if (!empty) {
      return Unavailable(options_.folder,
                         "no Badger database: there is no MANIFEST");
    }
    return MakeError(absl::StatusCode::kFailedPrecondition, kSourceEmpty,
                     absl::StrCat(options_.folder, ": an empty folder"));
  }

  absl::Status KeepId() const {
    if (!options_.store_id.empty()) return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> folder, Open());
    SLUICE_ASSIGN_OR_RETURN(const std::string id, ReadStoreId(*folder));
    if (id.empty()) return absl::OkStatus();
    return Annotate(KeepStoreId(*folder, id), options_.folder);
  }

  // Value logs that were there would be taken for the restored database's.
  absl::Status CheckValueFolder() const {
    if (options_.value_folder.empty()) return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const bool empty,
                            IsEmptyTarget(files_, options_.value_folder));
    if (empty) return absl::OkStatus();
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     kRestorePreconditionFailed,
                     absl::StrCat("restore: value folder ",
                                  options_.value_folder, " is not empty"));
  }

  const SourceOptions options_;
  FileSystem* const files_;
};

}  // namespace

std::unique_ptr<sdk::Source> MakeBadgerSource(SourceOptions options,
                                              FileSystem* files) {
  return std::make_unique<BadgerSource>(std::move(options), files);
}

}  // namespace badger
}  // namespace sluice
