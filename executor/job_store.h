#ifndef SLUICE_EXECUTOR_JOB_STORE_H_
#define SLUICE_EXECUTOR_JOB_STORE_H_

// Where the executor keeps jobs and records: four calls, so that a fake is
// trivial.
//
// Example, at namespace scope:
//
//   class NoJobs final : public JobStore {
//    public:
//     std::string catalog_id() const override { return ""; }
//     absl::Status CreateBackupJob(const Context&, const BackupJob&) override {
//       return absl::OkStatus();
//     }
//     absl::Status UpdateBackupJob(const Context&, const BackupJob&) override {
//       return absl::OkStatus();
//     }
//     absl::Status UpdateBackupJobProgress(const Context&, absl::string_view,
//                                          uint32_t, uint64_t,
//                                          absl::string_view) override {
//       return absl::OkStatus();
//     }
//     absl::Status CreateBackupRecord(const Context&,
//                                     const BackupRecord&) override {
//       return absl::OkStatus();
//     }
//   };
//
// Thread-safe. Arguments are borrowed for the call. A call may block until its
// context ends; while bytes flow there is at most one a second, for progress,
// and the stream waits for it. Errors: the store's own words. Progress that
// cannot be stored costs a warning; a row that ends a run is written again, up
// to eight times in ten seconds, unless the error is one that stays.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// //executor/testing has one for tests, //catalog/sqlite the real one.
class JobStore {
 public:
  virtual ~JobStore() = default;

  // Identity of this catalog, for the manifest. May be empty.
  virtual std::string catalog_id() const = 0;

  // Stores a new job as given (ids are the caller's). Of a job that the caller
  // has claimed (it is running, in stage "opening") the row becomes this. ALREADY_EXISTS
  // (backup_already_running) while a live lease holds a backup of the same repo
  // and store, FAILED_PRECONDITION for a backup into a repo that another job is
  // about to delete; nothing is stored then.
  virtual absl::Status CreateBackupJob(const Context& context,
                                       const BackupJob& job) = 0;
  // Replaces the job. A job that is terminal stays as it is:
  // FAILED_PRECONDITION.
  virtual absl::Status UpdateBackupJob(const Context& context,
                                       const BackupJob& job) = 0;
  // Best effort; may be called often.
  virtual absl::Status UpdateBackupJobProgress(const Context& context,
                                               absl::string_view job_id,
                                               uint32_t progress,
                                               uint64_t bytes_done,
                                               absl::string_view stage) = 0;
  // The same record already there is success; another one under that id is
  // ALREADY_EXISTS.
  virtual absl::Status CreateBackupRecord(const Context& context,
                                          const BackupRecord& record) = 0;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_JOB_STORE_H_
