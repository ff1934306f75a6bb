#include "sluice/executor/testing/fake_job_store.h"

#include <google/protobuf/util/message_differencer.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

bool IsTerminal(const BackupJob& job) {
  return job.status() == BackupJob::SUCCEEDED ||
         job.status() == BackupJob::FAILED ||
         job.status() == BackupJob::INTERRUPTED;
}

template <typename Map>
auto Values(const Map& map) {
  std::vector<typename Map::mapped_type> values;
  for (const auto& entry : map) values.push_back(entry.second);
  return values;
}

}  // namespace

absl::Status FakeJobStore::Serve(const Context& context, Call call,
                                 const std::function<absl::Status()>& work) {
  std::function<void(Call)> hook;
  {
    MutexLock lock(mutex_);
    hook = hook_;
  }
  if (hook) hook(call);
  if (context.done()) return context.status();
  Fault fault;
  {
    MutexLock lock(mutex_);
    ++calls_[call];
    Fault& planned = faults_[call];
    if (planned.times != 0) fault = planned;
    if (planned.times > 0) --planned.times;
  }
  if (fault.times != 0 && !fault.after) return fault.status;
  absl::Status status = work();
  return fault.times != 0 ? fault.status : status;
}

absl::Status FakeJobStore::CreateBackupJob(const Context& context,
                                           const BackupJob& job) {
  return Serve(context, Call::kCreateJob, [&]() -> absl::Status {
    MutexLock lock(mutex_);
    for (const auto& entry : jobs_) {
      const BackupJob& other = entry.second;
      if (other.id() != job.id() && !IsTerminal(other) &&
          other.status() != BackupJob::PENDING &&
          other.kind() == BackupJob::BACKUP &&
          job.kind() == BackupJob::BACKUP && other.repo_id() == job.repo_id() &&
          other.store_id() == job.store_id()) {
        return MakeError(absl::StatusCode::kAlreadyExists,
                         kBackupAlreadyRunning,
                         absl::StrCat("create job: ", other.id(),
                                      " backs this store up already"));
      }
    }
    const auto claimed = jobs_.find(job.id());
    if (claimed != jobs_.end() && claimed->second.stage() == "opening") {
      claimed->second = job;
      return absl::OkStatus();
    }
    if (!jobs_.emplace(job.id(), job).second) {
      return absl::AlreadyExistsError(
          absl::StrCat("create job ", job.id(), ": it exists"));
    }
    return absl::OkStatus();
  });
}

absl::Status FakeJobStore::UpdateBackupJob(const Context& context,
                                           const BackupJob& job) {
  return Serve(context, Call::kUpdateJob, [&]() -> absl::Status {
    MutexLock lock(mutex_);
    const auto found = jobs_.find(job.id());
    if (found == jobs_.end()) {
      return absl::NotFoundError(absl::StrCat("update job ", job.id()));
    }
    if (IsTerminal(found->second)) {
      return absl::FailedPreconditionError(
          absl::StrCat("update job ", job.id(), ": it is over"));
    }
    found->second = job;
    return absl::OkStatus();
  });
}

absl::Status FakeJobStore::UpdateBackupJobProgress(const Context& context,
                                                   absl::string_view job_id,
                                                   uint32_t progress,
                                                   uint64_t bytes_done,
                                                   absl::string_view stage) {
  return Serve(context, Call::kUpdateProgress, [&]() -> absl::Status {
    MutexLock lock(mutex_);
    const auto found = jobs_.find(std::string(job_id));
    if (found == jobs_.end()) {
      return absl::NotFoundError(absl::StrCat("update progress ", job_id));
    }
    found->second.set_progress(progress);
    found->second.set_bytes_done(bytes_done);
    found->second.set_stage(std::string(stage));
    progress_.push_back({progress, bytes_done, std::string(stage)});
    return absl::OkStatus();
  });
}

absl::Status FakeJobStore::CreateBackupRecord(const Context& context,
                                              const BackupRecord& record) {
  return Serve(context, Call::kCreateRecord, [&]() -> absl::Status {
    MutexLock lock(mutex_);
    const auto [found, inserted] = records_.emplace(record.id(), record);
    if (!inserted && !google::protobuf::util::MessageDifferencer::Equals(
                         found->second, record)) {
      return absl::AlreadyExistsError(
          absl::StrCat("create record ", record.id(), ": another has this id"));
    }
    return absl::OkStatus();
  });
}

void FakeJobStore::FailNext(Call call, absl::Status status, int times) {
  MutexLock lock(mutex_);
  faults_[call] = {std::move(status), times, false};
}

void FakeJobStore::FailAlways(Call call, absl::Status status) {
  FailNext(call, std::move(status), -1);
}

void FakeJobStore::LoseNextAnswer(Call call, absl::Status status, int times) {
  MutexLock lock(mutex_);
  faults_[call] = {std::move(status), times, true};
}

void FakeJobStore::OnCall(std::function<void(Call)> hook) {
  MutexLock lock(mutex_);
  hook_ = std::move(hook);
}

absl::optional<BackupJob> FakeJobStore::job(absl::string_view id) const {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(std::string(id));
  if (found == jobs_.end()) return absl::nullopt;
  return found->second;
}

std::vector<BackupJob> FakeJobStore::jobs() const {
  MutexLock lock(mutex_);
  return Values(jobs_);
}

std::vector<BackupRecord> FakeJobStore::records() const {
  MutexLock lock(mutex_);
  return Values(records_);
}

std::vector<FakeJobStore::Progress> FakeJobStore::progress() const {
  MutexLock lock(mutex_);
  return progress_;
}

int FakeJobStore::calls(Call call) const {
  MutexLock lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

}  // namespace sluice
