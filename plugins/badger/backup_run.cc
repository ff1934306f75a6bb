#include "sluice/plugins/badger/backup_run.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/image/store_id.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/stream/backup_index.h"
#include "sluice/plugins/badger/stream/backup_spool.h"
#include "sluice/plugins/badger/stream/backup_stream_writer.h"
#include "sluice/plugins/badger/stream/increment.h"
#include "sluice/plugins/badger/stream/payload_ids.h"
#include "sluice/plugins/badger/stream/proof.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

// A frame says its length, an entry its lengths and numbers.
constexpr uint64_t kOverheadAnEntry = 24;
// In the scratch folder, beside the copy of the database.
constexpr char kIncrementFile[] = "sluice-increment";
constexpr char kIndexFile[] = "sluice-index";
// Of keys of logs to replay that are held at once.
constexpr size_t kLogIndexBytes = size_t{32} << 20;

std::string Find(const sdk::Metadata& metadata, absl::string_view key) {
  const auto found = metadata.find(std::string(key));
  return found == metadata.end() ? "" : found->second;
}

void WarnOfIds(const PayloadIds& ids, sdk::Sink& sink) {
  if (ids.undecoded() == 0) return;
  sink.AddWarning("badger_payload_ids_undecoded", ids.Warning());
}

// The lock that Badger takes, exclusive: while it is held an application that
// starts fails at once.
absl::StatusOr<std::unique_ptr<FolderLock>> LockDatabase(
    const std::string& folder) {
  auto lock = FolderLock::Take(folder);
  if (lock.ok()) return lock;
  absl::Status status = lock.status();
  if (absl::IsFailedPrecondition(status) || absl::IsUnimplemented(status)) {
    status = MakeError(absl::StatusCode::kUnavailable, kSourceUnavailable,
                       status.message());
  }
  return WithHint(status,
                  "leave out mode=offline: it is then copied as it is used");
}

}  // namespace

BackupRun::BackupRun(const SourceOptions& options, FileSystem* files,
                     const sdk::Run& run, const sdk::BackupRequest& request)
    : options_(options),
      run_(run),
      request_(request),
      source_(files, run),
      scratch_files_(FileSystem::Posix(), run) {
  walk_.now = static_cast<uint64_t>(absl::ToUnixSeconds(absl::Now()));
}

absl::Status BackupRun::Stream(sdk::Sink& sink) {
  SLUICE_RETURN_IF_ERROR(OpenImage(sink));
  has_index_ = sink.keeps_index();
  if (!request_.has_base) return SendFull(sink);
  std::string why_full = WhyNotOn(request_.base_metadata);
  if (why_full.empty()) {
    SLUICE_ASSIGN_OR_RETURN(why_full, SendIncrement(sink));
    if (why_full.empty()) return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(sink.SetMetadata(sdk::kFullMetadata, "1"));
  SLUICE_RETURN_IF_ERROR(sink.SetMetadata(sdk::kFullReasonMetadata, why_full));
  return SendFull(sink);
}

absl::Status BackupRun::OpenImage(sdk::Sink& sink) {
  return CauseOf(run_, options_.offline ? OpenOffline() : OpenCopy(sink));
}

std::vector<std::string> BackupRun::Folders() const {
  std::vector<std::string> folders = {options_.folder};
  if (!options_.value_folder.empty()) folders.push_back(options_.value_folder);
  return folders;
}

absl::StatusOr<FileSystem*> BackupRun::LogScratch() {
  if (scratch_ == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(scratch_,
                            ScratchArea::Create(options_.scratch, Folders()));
  }
  if (log_scratch_ == nullptr) {
    auto folder = FileSystem::Posix()->Beneath(scratch_->path());
    if (!folder.ok()) {
      return ScratchIoError("open", scratch_->path(), folder.error);
    }
    log_scratch_ = std::move(folder.value);
  }
  return log_scratch_.get();
}

absl::Status BackupRun::OpenAt(ImageOptions options) {
  options.max_log_index_bytes = kLogIndexBytes;
  options.log_scratch = [this] { return LogScratch(); };
  image_.reset();
  FileSystem& files = options_.offline ? source_ : scratch_files_;
  SLUICE_ASSIGN_OR_RETURN(image_, Image::Open(files, options));
  auto folder = files.Beneath(options.folder);
  if (!folder.ok()) {
    return SourceIoError("open folder", options.folder, folder.error);
  }
  SLUICE_ASSIGN_OR_RETURN(incarnation_, ReadIncarnation(*folder.value));
  SLUICE_ASSIGN_OR_RETURN(traits_, TraitsOf(*image_));
  return absl::OkStatus();
}

absl::Status BackupRun::OpenOffline() {
  SLUICE_ASSIGN_OR_RETURN(lock_, LockDatabase(options_.folder));
  if (!options_.value_folder.empty()) {
    SLUICE_ASSIGN_OR_RETURN(value_lock_, LockDatabase(options_.value_folder));
  }
  ImageOptions options;
  options.folder = options_.folder;
  options.value_folder = options_.value_folder;
  options.master_key = options_.master_key;
  return OpenAt(std::move(options));
}

absl::Status BackupRun::OpenCopy(sdk::Sink& sink) {
  const std::vector<std::string> databases = Folders();
  SLUICE_ASSIGN_OR_RETURN(scratch_,
                          ScratchArea::Create(options_.scratch, databases));
  LiveCopyOptions options;
  options.folder = options_.folder;
  options.value_folder = options_.value_folder;
  options.master_key = options_.master_key;
  options.jobs = options_.jobs;
  SLUICE_RETURN_IF_ERROR(
      scratch_->CheckRoomForCopyOf(databases, !HoldsAllLogs(source_, options)));
  copy_ =
      std::make_unique<LiveCopy>(std::move(options), &source_,
                                 FileSystem::Posix(), scratch_->path(), run_);
  SLUICE_RETURN_IF_ERROR(copy_->Take(
      [&](const ImageOptions& image) { return Prove(image, sink); }));
  for (const std::string& end : copy_->report().unreadable_ends) {
    sink.AddWarning("badger_log_end_dropped", end);
  }
  return absl::OkStatus();
}

absl::Status BackupRun::Prove(const ImageOptions& options, sdk::Sink& sink) {
  SLUICE_RETURN_IF_ERROR(OpenAt(options));
  WalkOptions walk = walk_;
  walk.with_log_values = !options.logs_stay;
  SLUICE_ASSIGN_OR_RETURN(const ProofTotals totals,
                          ProveImage(*image_, walk, options_.jobs, run_));
  sink.SetEstimate(totals.bytes + totals.versions * kOverheadAnEntry);
  return absl::OkStatus();
}

std::string BackupRun::WhyNotOn(const sdk::Metadata& base) {
  if (incarnation_.empty() ||
      Find(base, kIncarnationMetadata) != incarnation_) {
    return "the base is of another KEYREGISTRY: of another directory, or from "
           "before the keys were rotated";
  }
  if (!has_index_ || request_.base_indexes.empty() ||
      Find(base, kIndexMetadata) != kIndexVersion ||
      !absl::SimpleAtoi(Find(base, kMaxVersionMetadata), &base_max_version_)) {
    return "the base has no index of what it holds";
  }
  if (base_max_version_ > image_->summary().max_version) {
    return "the store's versions end below those of the base";
  }
  // What had expired then, and was left out, may be alive again.
  uint64_t base_now = 0;
  if (!absl::SimpleAtoi(Find(base, kLiveAtMetadata), &base_now) ||
      base_now > walk_.now) {
    return "the clock is behind the time of the base";
  }
  return "";
}

absl::StatusOr<std::string> BackupRun::SendIncrement(sdk::Sink& sink) {
  SLUICE_ASSIGN_OR_RETURN(FileSystem* const folder, LogScratch());
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<BackupSpool> entries,
                          BackupSpool::Create(*folder, kIncrementFile));
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<BackupSpool> index,
                          BackupSpool::Create(*folder, kIndexFile));
  WalkTotals totals;
  SLUICE_ASSIGN_OR_RETURN(const std::string why_full,
                          SpoolIncrement(*entries, *index, sink, totals));
  if (!why_full.empty()) return why_full;
  sink.SetEstimate(totals.bytes + totals.versions * kOverheadAnEntry);
  SLUICE_RETURN_IF_ERROR(entries->CopyTo(
      [&](absl::string_view bytes) { return sink.Write(bytes); }));
  SLUICE_RETURN_IF_ERROR(index->CopyTo(
      [&](absl::string_view bytes) { return sink.WriteIndex(bytes); }));
  SLUICE_RETURN_IF_ERROR(Finish(totals, sink));
  return "";
}

absl::StatusOr<std::string> BackupRun::SpoolIncrement(BackupSpool& entries,
                                                      BackupSpool& indexed,
                                                      sdk::Sink& sink,
                                                      WalkTotals& totals) {
  IndexChain base(request_.base_indexes);
  if (const absl::Status begun = base.Start(); !begun.ok()) {
    SLUICE_RETURN_IF_ERROR(run_.status());
    return absl::StrCat("the base's index cannot be read: ", begun.message());
  }
  BackupStreamWriter writer(entries.AsOutput());
  IndexWriter index(indexed.AsOutput());
  PayloadIds ids(options_.payload_id_prefix, options_.payload_id_field);
  const auto give = [&](const StreamEntry& entry) -> absl::Status {
    if (!options_.payload_id_field.empty()) {
      SLUICE_RETURN_IF_ERROR(ids.Add(entry, sink));
    }
    return writer.Add(entry);
  };
  Increment increment(base, base_max_version_, walk_.now, give, index);
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionReader> versions,
                          image_->ReadVersions());
  const auto walked =
      WalkBackup(*versions, walk_, run_, [&](const StreamEntry& entry) {
        SLUICE_RETURN_IF_ERROR(increment.Take(entry));
        return increment.why_full().empty()
                   ? absl::OkStatus()
                   : absl::CancelledError("it will be a full backup");
      });
  if (!increment.why_full().empty()) return increment.why_full();
  SLUICE_RETURN_IF_ERROR(CauseOf(run_, walked.status()));
  traits_.value_threshold = versions->logs().shortest_value();
  SLUICE_RETURN_IF_ERROR(increment.Finish());
  if (!increment.why_full().empty()) return increment.why_full();
  SLUICE_RETURN_IF_ERROR(writer.Finish());
  SLUICE_RETURN_IF_ERROR(index.Finish());
  WarnOfIds(ids, sink);
  totals = *walked;
  totals.keys = increment.keys();
  totals.versions = increment.versions();
  totals.bytes = increment.bytes();
  totals.max_version = std::max(totals.max_version, base_max_version_);
  return "";
}

absl::Status BackupRun::SendFull(sdk::Sink& sink) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionReader> versions,
                          image_->ReadVersions());
  // What the sink answers is returned as it is.
  absl::Status sent;
  PayloadIds ids(options_.payload_id_prefix, options_.payload_id_field);
  BackupStreamWriter writer([&](absl::string_view bytes) {
    sent = sink.Write(bytes);
    return sent;
  });
  IndexWriter index([&](absl::string_view bytes) {
    sent = sink.WriteIndex(bytes);
    return sent;
  });
  FullIndex indexed(walk_.now, index);
  const auto totals = WalkBackup(
      *versions, walk_, run_, [&](const StreamEntry& entry) -> absl::Status {
        if (!options_.payload_id_field.empty()) sent = ids.Add(entry, sink);
        if (sent.ok() && has_index_) {
          SLUICE_RETURN_IF_ERROR(indexed.Take(entry));
        }
        return sent.ok() ? writer.Add(entry) : sent;
      });
  if (!sent.ok()) return sent;
  if (!totals.ok()) return CauseOf(run_, totals.status());
  traits_.value_threshold = versions->logs().shortest_value();
  SLUICE_RETURN_IF_ERROR(writer.Finish());
  if (has_index_) {
    SLUICE_RETURN_IF_ERROR(indexed.Finish());
    SLUICE_RETURN_IF_ERROR(index.Finish());
  }
  WarnOfIds(ids, sink);
  return Finish(*totals, sink);
}

absl::Status BackupRun::Finish(const WalkTotals& totals,
                               sdk::Sink& sink) const {
  if (copy_ != nullptr) SLUICE_RETURN_IF_ERROR(copy_->CheckHeldLogs());
  SLUICE_RETURN_IF_ERROR(SetMetadata(totals, sink));
  for (const std::string& warning : image_->summary().warnings) {
    sink.AddWarning("badger_image", warning);
  }
  if (totals.values_gone > 0) {
    sink.AddWarning("badger_values_gone",
                    absl::StrCat(totals.values_gone,
                                 " obsolete versions have lost their values to "
                                 "the value log's collector and are left out"));
  }
  return sink.End({{"keys", totals.keys},
                   {"versions", totals.versions},
                   {"bytes", totals.bytes}});
}

absl::Status BackupRun::SetMetadata(const WalkTotals& totals,
                                    sdk::Sink& sink) const {
  const sdk::Metadata metadata = {
      {kMaxVersionMetadata, absl::StrCat(totals.max_version)},
      {kIncarnationMetadata, incarnation_},
      {kLiveAtMetadata, absl::StrCat(walk_.now)},
      {kLiveKeysMetadata, absl::StrCat(totals.live.keys)},
      {kLiveDigestMetadata, totals.live.digest},
      {kContentDigestMetadata, totals.live.content}};
  for (const auto& [key, value] : metadata) {
    SLUICE_RETURN_IF_ERROR(sink.SetMetadata(key, value));
  }
  for (const auto& [key, value] : TraitsMetadata(traits_)) {
    SLUICE_RETURN_IF_ERROR(sink.SetMetadata(key, value));
  }
  return has_index_ ? sink.SetMetadata(kIndexMetadata, kIndexVersion)
                    : absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
