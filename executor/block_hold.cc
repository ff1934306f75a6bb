#include "sluice/executor/block_hold.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

uint64_t HashOf(absl::string_view id) {
  return XXH3_64bits(id.data(), id.size());
}

void SortDistinct(std::vector<uint64_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

// When the first of the running backups began; `now` where there is none, as
// one may begin right after.
absl::Time EarliestStart(const std::vector<BackupJob>& jobs, absl::Time now) {
  absl::Time earliest = now;
  for (const BackupJob& job : jobs) {
    if (job.kind() != BackupJob::BACKUP) continue;
    // What waits takes its snapshot after this moment.
    if (job.status() == BackupJob::PENDING) continue;
    const int64_t began =
        job.started_at_ms() != 0 ? job.started_at_ms() : job.created_at_ms();
    earliest = std::min(earliest, absl::FromUnixMillis(began));
  }
  return earliest;
}

}  // namespace

absl::Status BlockHold::AddArchives(const Context& context, Destination& repo) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Manifest> archives,
                          repo.List(context));
  for (const Manifest& archive : archives) {
    uint64_t seen = 0;
    const auto add = [&](absl::string_view id) {
      hashes_.push_back(HashOf(id));
      ++seen;
      return absl::OkStatus();
    };
    // Also where the manifest counts none: it must be readable.
    SLUICE_RETURN_IF_ERROR(Annotate(
        repo.ForEachPayloadId(context, archive.backup_id(), add),
        absl::StrCat("read the ids of archive ", archive.backup_id())));
    if (seen != archive.payload_id_count()) {
      return MakeError(
          absl::StatusCode::kDataLoss, kArchiveDamaged,
          absl::StrCat("archive ", archive.backup_id(), " lists ", seen,
                       " payload ids of ", archive.payload_id_count()));
    }
    SortDistinct(hashes_);  // archives name mostly the same blocks
  }
  return absl::OkStatus();
}

BlockHold BlockHold::Take(const Context& context, const Clock& clock,
                          absl::Span<const std::shared_ptr<Destination>> repos,
                          const ListRunningJobs& list_running_jobs,
                          const Options& options) {
  BlockHold hold;
  const absl::Time now = clock.Now();
  // The jobs before the archives: a job that ends between the two is seen as
  // running, as published, or as both, and never as neither.
  const absl::StatusOr<std::vector<BackupJob>> jobs =
      list_running_jobs(context);
  if (!jobs.ok()) {
    hold.why_ = Annotate(jobs.status(), "list running jobs");
    return hold;
  }
  hold.horizon_ = EarliestStart(*jobs, now) - options.clock_skew;
  for (const std::shared_ptr<Destination>& repo : repos) {
    hold.why_ = hold.AddArchives(context, *repo);
    if (!hold.why_.ok()) return hold;
  }
  return hold;
}

bool BlockHold::Holds(absl::string_view block_id, absl::Time dead_since) const {
  if (holds_everything() || dead_since >= horizon_) return true;
  return std::binary_search(hashes_.begin(), hashes_.end(), HashOf(block_id));
}

}  // namespace sluice
