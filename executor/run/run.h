#ifndef SLUICE_EXECUTOR_RUN_RUN_H_
#define SLUICE_EXECUTOR_RUN_RUN_H_

// What a run of the executor is asked, tells on its way, and answers.
//
// Example:
//
//   RunBackupOptions options;
//   options.origin.label = "before the upgrade";
//   options.on_progress = [](const RunProgress& progress) {
//     std::cerr << progress.stage << " " << progress.percent << "%\n";
//   };
//
// Values, but where a member says that it is borrowed: such a thing outlives
// the run. On which thread a callback comes is said at each; they cost the run
// what they take, so keep them short. The errors in a result are told in
// executor/executor.h.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/thread_scheduler.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/stream/pipe.h"

namespace sluice {

// Archives that a restore reads at most: a full backup and the increments on
// it.
inline constexpr size_t kMaxChainLength = 1000;

struct RunProgress {
  absl::string_view
      stage;  // "starting", "streaming", "publishing", "recording", "done"
  uint32_t percent = 0;
  uint64_t bytes_done = 0;
  uint64_t bytes_estimated = 0;  // 0: not known
};

// Where an archive comes from, for people: goes into its manifest, each cut to
// 1,024 bytes of one line.
struct ArchiveOrigin {
  std::string host;
  std::string source;  // as its URI; no secret
  std::string label;
};

struct RunBackupOptions {
  // A running job that the caller has claimed (JobQueue::Claim): the run is that
  // job, under its id. None: the run makes a job of its own.
  absl::optional<BackupJob> claimed;
  // Called on the caller's thread once the job exists, before any payload. Must
  // not call back into the run.
  std::function<void(const BackupJob&)> on_job_created;
  // Called right before the manifest is committed: a catalog checks its lease
  // for the last time. An error stops the publish.
  std::function<absl::Status(const BackupJob&)> before_publish;
  // Called from a thread of the run, at most every 100 ms and at each stage.
  // Must not block.
  std::function<void(const RunProgress&)> on_progress;
  // An archive of no bytes and no counts is a failure unless this is set; an
  // increment may hold nothing new.
  bool allow_empty = false;
  // Read every stored byte back before the archive is published
  // (PutOptions::read_back_payload), and told here what that cost.
  bool read_back = false;
  std::function<void(uint64_t bytes, absl::Duration took)> on_read_back;
  // The manifest to build an increment on; null: a full backup. Borrowed.
  const Manifest* base = nullptr;
  ArchiveOrigin origin;
  PipeOptions pipe;
  // How long a source may take to return after its run was cancelled before it
  // is abandoned.
  absl::Duration abandon_after = absl::Seconds(2);
  // Folder for the spools of payload ids and index; empty: $TMPDIR or /tmp.
  std::string scratch_dir;
};

struct BackupResult {
  absl::Status status;
  absl::optional<BackupRecord> record;
  absl::optional<BackupJob> job;
  // Present with the record.
  absl::optional<Manifest> manifest;
  // The source did not return in time: a thread of it lives on. A command
  // leaves by _exit, a service gives this source no new run.
  bool source_abandoned = false;
};

struct RunRestoreOptions {
  absl::optional<BackupJob> claimed;  // as in RunBackupOptions
  std::function<void(const BackupJob&)> on_job_created;
  std::function<void(const RunProgress&)> on_progress;
  // The guard: the store id that the archive must have. Empty: the target's own
  // id, if it has one, must be the archive's.
  std::string from_store_id;
  absl::Duration abandon_after = absl::Seconds(2);
  // Borrowed. For simulations; null in production.
  ThreadScheduler* scheduler = nullptr;
};

struct RestoreResult {
  absl::Status status;
  // Its warnings: what the store said that it could not bring back as it was,
  // and what the run itself met.
  absl::optional<BackupJob> job;
  absl::optional<Manifest> manifest;
  // As in BackupResult, of the target.
  bool source_abandoned = false;
  // Where the status is archive_damaged and it is known: the archive that is,
  // the one asked for or one that it builds on.
  std::string damaged_backup_id = {};
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_RUN_H_
