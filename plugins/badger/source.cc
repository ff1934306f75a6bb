#include "sluice/plugins/badger/source.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/store_id.h"
#include "sluice/plugins/badger/backup_run.h"
#include "sluice/plugins/badger/image/store_id.h"
#include "sluice/plugins/badger/image/store_traits.h"
#include "sluice/plugins/badger/restore/directory_writer.h"
#include "sluice/plugins/badger/restore/restore.h"
#include "sluice/plugins/badger/restore/restore_publish.h"
#include "sluice/plugins/badger/stream/live_digest.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/sdk/empty_restore.h"

namespace sluice {
namespace badger {
namespace {

absl::Status NoDatabase(const std::string& folder) {
  return WithHint(
      MakeError(
          absl::StatusCode::kNotFound, kSourceUnavailable,
          absl::StrCat(folder, ": not a Badger database: MANIFEST is missing")),
      "the folder is Badger's Dir; value_dir=DIR names its ValueDir, where "
      "that "
      "is another one");
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
  const auto content = metadata.find(kContentDigestMetadata);
  if (content != metadata.end()) live.content = content->second;
  options.stager.live_at = at;
  options.expected = std::move(live);
}

// Badger's own defaults, where nothing is known.
constexpr uint64_t kValueThreshold2 = 1024;
constexpr uint64_t kValueThreshold4 = uint64_t{1} << 20;

// From how many bytes on a value goes to a value log.
uint64_t ValueThresholdOf(const StoreTraits& traits, bool is_badger2) {
  if (traits.value_threshold > 0) return traits.value_threshold;
  return is_badger2 ? kValueThreshold2 : kValueThreshold4;
}

// What the archive's store had, unless the options say otherwise.
absl::StatusOr<DirectoryOptions> DirectoryOptionsOf(
    const SourceOptions& options, const StoreTraits& traits) {
  DirectoryOptions directory;
  if (traits.format != 0) {
    directory.table.format = static_cast<DiskFormat>(traits.format);
  }
  directory.table.format =
      options.restore_format.value_or(directory.table.format);
  const bool is_badger2 = directory.table.format == DiskFormat::kBadger2;
  if (is_badger2 && !traits.banned.empty()) {
    return WithHint(
        MakeError(absl::StatusCode::kFailedPrecondition,
                  kRestorePreconditionFailed,
                  absl::StrCat(traits.banned.size(),
                               " namespaces are banned, and Badger 2 knows no "
                               "bans: what they hide would be seen")),
        "leave out format=7");
  }
  directory.banned = traits.banned;
  if (!is_badger2) {
    directory.external_magic =
        options.external_magic.value_or(traits.external_magic);
  }
  // A level that the application does not have makes it panic. One that its
  // tables were on it has; and every application has level 1.
  if (options.levels > 0) {
    directory.level = options.levels - 1;
  } else if (traits.knows_level) {
    directory.level = std::max<uint32_t>(traits.deepest_level, 1);
  }
  directory.value_threshold = ValueThresholdOf(traits, is_badger2);
  return directory;
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
    SLUICE_ASSIGN_OR_RETURN(const StoreTraits traits,
                            TraitsOfChain(request.payloads()));
    RestoreOptions options;
    options.hold_lock = files_ == FileSystem::Posix();
    options.must_hold_something = sdk::MustHoldSomething(request);
    options.value_folder = options_.value_folder;
    SLUICE_ASSIGN_OR_RETURN(options.stager.directory,
                            DirectoryOptionsOf(options_, traits));
    options.accept_mismatch = options_.accept_mismatch;
    if (IsStoreId(request.store_id())) {
      options.companions[kStoreIdFile] = StoreIdContents(request.store_id());
    }
    if (!request.payloads().empty()) {
      ExpectLive(request.payloads().back()->metadata(), options);
    }
    if (traits.is_encrypted || !options_.master_key.empty()) {
      request.AddWarning(
          "badger_restored_plain",
          absl::StrCat(traits.is_encrypted ? "the store was encrypted; " : "",
                       "what was restored is not: Badger encrypts it as it "
                       "compacts, when it is opened with the key"));
    }
    SLUICE_ASSIGN_OR_RETURN(const RestoreTotals totals,
                            RestoreDirectory(files_, options_.folder, options,
                                             run, request.payloads()));
    if (!totals.mismatch.ok()) {
      request.AddWarning("badger_restored_mismatch", totals.mismatch.message());
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::unique_ptr<FileSystem>> Open() const {
    auto folder = files_->Beneath(options_.folder);
    if (folder.ok()) return std::move(folder.value);
    return SourceIoError("open folder", options_.folder, folder.error);
  }

  // That there is one, before anything is made for its sake.
  absl::Status CheckDatabase() const {
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> folder, Open());
    const auto manifest = folder->Stat("MANIFEST");
    if (manifest.ok()) return absl::OkStatus();
    if (manifest.error != ENOENT) {
      return SourceIoError("stat", absl::StrCat(options_.folder, "/MANIFEST"),
                           manifest.error);
    }
    const auto empty = HoldsOnlyRemains(*folder);
    if (!empty.ok()) return Annotate(empty.status(), options_.folder);
    if (!*empty) return NoDatabase(options_.folder);
    return WithHint(
        MakeError(absl::StatusCode::kFailedPrecondition, kSourceEmpty,
                  absl::StrCat(options_.folder, ": an empty folder")),
        "is the disk mounted?");
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
