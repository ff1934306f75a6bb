#ifndef SLUICE_EXECUTOR_JOB_STORE_H_
#define SLUICE_EXECUTOR_JOB_STORE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// Where jobs and records are kept. Thread-safe. //executor/testing is
// one for tests, //catalog/sqlite the real one.
class JobStore {
 public:
  virtual ~JobStore() = default;

  // Identity of this catalog, for the manifest. May be empty.
  virtual std::string catalog_id() const = 0;

  // Stores a new job as given (ids are the caller's). ALREADY_EXISTS
  // (backup_already_running) while a live lease holds a backup of the same repo
  // and store; nothing is stored then.
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
