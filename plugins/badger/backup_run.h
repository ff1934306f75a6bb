#ifndef SLUICE_PLUGINS_BADGER_BACKUP_RUN_H_
#define SLUICE_PLUGINS_BADGER_BACKUP_RUN_H_

// One backup of a Badger directory, as source.h describes it.
//
//   BackupRun backup(options, files, run, request);
//   return backup.Stream(sink);
//
// What it leaves with the archive, for the increments and restores on top:

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"
#include "sluice/base/folder_lock.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/image/store_traits.h"
#include "sluice/plugins/badger/live/live_copy.h"
#include "sluice/plugins/badger/live/reading_file_system.h"
#include "sluice/plugins/badger/live/scratch_area.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/badger/stream/backup_spool.h"
#include "sluice/plugins/badger/stream/backup_walk.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

// Keys of the metadata.
// (those of store_traits.h besides)
inline constexpr char kMaxVersionMetadata[] = "badger.max_version";
inline constexpr char kIncarnationMetadata[] = "badger.incarnation";
// What was alive, and at which time, in seconds since 1970.
inline constexpr char kLiveAtMetadata[] = "badger.live_at";
inline constexpr char kLiveKeysMetadata[] = "badger.live_keys";
inline constexpr char kLiveDigestMetadata[] = "badger.live_digest";
inline constexpr char kContentDigestMetadata[] = "badger.content_digest";
// Of the index (backup_index.h) that lies beside the payload; not there: none.
inline constexpr char kIndexMetadata[] = "badger.index";
inline constexpr char kIndexVersion[] = "1";

class BackupRun {
 public:
  // Borrows `options`, `files` and `request`.
  BackupRun(const SourceOptions& options, FileSystem* files,
            const sdk::Run& run, const sdk::BackupRequest& request);

  // Copies, verifies the copy, streams, and calls End. Once.
  absl::Status Stream(sdk::Sink& sink);

 private:
  absl::Status OpenImage(sdk::Sink& sink);
  absl::Status OpenOffline();
  absl::Status OpenCopy(sdk::Sink& sink);
  absl::Status OpenAt(ImageOptions options);
  std::vector<std::string> Folders() const;
  // A folder for what does not fit into memory; offline, too.
  absl::StatusOr<FileSystem*> LogScratch();
  // Empty, or why nothing can be built on the base, seen before all is read.
  std::string WhyNotOn(const sdk::Metadata& base);
  // Sends an increment on the base; or sends nothing, and says why.
  absl::StatusOr<std::string> SendIncrement(sdk::Sink& sink);
  // The increment and its index, into files. What it adds, or why not.
  absl::StatusOr<std::string> SpoolIncrement(BackupSpool& entries,
                                             BackupSpool& indexed,
                                             sdk::Sink& sink,
                                             WalkTotals& totals);
  // Reads all that a backup will.
  absl::Status Prove(const ImageOptions& options, sdk::Sink& sink);
  absl::Status SendFull(sdk::Sink& sink);
  absl::Status Finish(const WalkTotals& totals, sdk::Sink& sink) const;
  absl::Status SetMetadata(const WalkTotals& totals, sdk::Sink& sink) const;

  const SourceOptions& options_;
  const sdk::Run run_;
  const sdk::BackupRequest& request_;
  ReadingFileSystem source_;
  ReadingFileSystem scratch_files_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<FolderLock> value_lock_;
  std::unique_ptr<ScratchArea> scratch_;
  std::unique_ptr<FileSystem> log_scratch_;
  std::unique_ptr<LiveCopy> copy_;
  std::unique_ptr<Image> image_;
  std::string incarnation_;
  StoreTraits traits_;
  uint64_t base_max_version_ = 0;
  bool has_index_ = false;  // one is written with this backup
  WalkOptions walk_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_BACKUP_RUN_H_
