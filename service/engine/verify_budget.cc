#include "sluice/service/engine/verify_budget.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/plan/verify_rule.h"

namespace sluice::service {
namespace {

// A full backup and all that builds on it.
struct Family {
  std::vector<const VerifyCandidate*> members;
  double size = 0;
  absl::Time proven_at = absl::InfiniteFuture();  // of the oldest proof
};

using ById = std::map<std::string, const VerifyCandidate*>;

// What `archive` builds on in the end, which may be unknown here; empty: on
// something damaged, or in a circle.
std::string RootOf(const ById& all, const VerifyCandidate& archive) {
  const VerifyCandidate* link = &archive;
  for (size_t i = 0; i <= all.size(); ++i) {
    if (link->damaged) return "";
    if (link->base_id.empty()) return link->id;
    const auto base = all.find(link->base_id);
    if (base == all.end()) return link->base_id;
    link = base->second;
  }
  return "";
}

// The oldest proof first.
std::vector<Family> FamiliesOf(const std::vector<VerifyCandidate>& archives) {
  ById all;
  for (const VerifyCandidate& archive : archives) all[archive.id] = &archive;
  std::map<std::string, Family> by_root;
  for (const auto& [id, archive] : all) {
    const std::string root = RootOf(all, *archive);
    if (root.empty()) continue;
    Family& family = by_root[root];
    family.members.push_back(archive);
    // An empty archive costs something, too.
    family.size += std::max(1.0, static_cast<double>(archive->size_bytes));
    family.proven_at = std::min(family.proven_at, archive->proven_at);
  }
  std::vector<Family> families;
  families.reserve(by_root.size());
  for (auto& [root, family] : by_root) families.push_back(std::move(family));
  std::stable_sort(families.begin(), families.end(),
                   [](const Family& a, const Family& b) {
                     return a.proven_at < b.proven_at;
                   });
  return families;
}

// How long a family may wait beyond the next pass.
absl::Duration Left(const Family& family, absl::Duration span, absl::Time now) {
  return family.proven_at + span - (now + kVerifyEvery);
}

// What must be read in this pass, so that at `rate` a second no proof of the
// rest gets older than `span`.
double MustRead(const std::vector<Family>& families, absl::Duration span,
                absl::Time now, double rate) {
  double before = 0;
  double must = 0;
  for (const Family& family : families) {
    before += family.size;
    const double seconds =
        std::max(0.0, absl::ToDoubleSeconds(Left(family, span, now)));
    must = std::max(must, before - rate * seconds);
  }
  return must;
}

}  // namespace

std::vector<std::string> DecideVerification(
    const std::vector<VerifyCandidate>& archives, absl::Duration span,
    absl::Time now, absl::Time last_share) {
  const std::vector<Family> families = FamiliesOf(archives);
  double total = 0;
  for (const Family& family : families) total += family.size;
  // A pass may come late, and its job has to wait for a turn.
  const absl::Duration aim = std::max(span - kVerifyEvery, kVerifyEvery);
  const double rate = total / absl::ToDoubleSeconds(aim);
  const double must = MustRead(families, aim, now, rate);
  const absl::Duration since =
      last_share == absl::InfinitePast()
          ? kVerifyEvery
          : std::clamp(now - last_share, absl::ZeroDuration(), aim);
  // Nothing is read in part: what is short of a whole archive is kept for the
  // next pass. But what is short by a rounding error counts.
  const double share =
      std::max(must, rate * absl::ToDoubleSeconds(since)) * (1 + 1e-9);
  const double most = 2 * rate * absl::ToDoubleSeconds(kVerifyEvery);
  std::vector<std::string> ids;
  double taken = 0;
  for (const Family& family : families) {
    const bool late = Left(family, aim, now) <= absl::ZeroDuration();
    if (!late && taken + family.size > share) break;
    if (taken > 0 && taken + family.size > most) break;
    taken += family.size;
    for (const VerifyCandidate* archive : family.members) {
      ids.push_back(archive->id);
    }
  }
  return ids;
}

namespace {

// What earlier jobs of the budget say.
struct Earlier {
  bool waits = false;  // there is one that is not over, or one of this day
  absl::Time last_share = absl::InfinitePast();
  std::map<std::string, absl::Time> tried;
};

// One that could not even look at its archives tried none of them.
bool HasTried(const BackupJob& job) {
  return job.status() == BackupJob::SUCCEEDED ||
         job.error_code() == kArchiveDamaged ||
         job.error_code() == kArchiveNotFound ||
         job.error_code() == kArchiveUnsupported;
}

absl::StatusOr<Earlier> ReadEarlier(const Context& context, Catalog& catalog,
                                    const Plan& plan,
                                    const std::string& repo_id,
                                    const std::string& key) {
  CatalogFilter filter;
  filter.plan_id = plan.id();
  filter.repo_id = repo_id;
  filter.kind = BackupJob::VERIFY;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          catalog.ListJobs(context, filter));
  Earlier earlier;
  for (const CatalogJob& entry : jobs) {
    const BackupJob& job = entry.job;
    const auto request = catalog.queue().GetRequest(context, job.id());
    if (ErrorCodeOf(request.status()) == kJobNotFound) continue;
    SLUICE_RETURN_IF_ERROR(request.status());
    if (!IsTerminal(job) || request->idempotency_key() == key) {
      earlier.waits = true;
    }
    const absl::Time at = absl::FromUnixMillis(job.created_at_ms());
    earlier.last_share = std::max(earlier.last_share, at);
    if (!HasTried(job)) continue;
    for (const std::string& id : request->backup_ids()) {
      earlier.tried[id] = std::max(at, earlier.tried[id]);
    }
  }
  return earlier;
}

VerifyCandidate CandidateOf(const BackupRecord& record,
                            const Earlier& earlier) {
  VerifyCandidate candidate;
  candidate.id = record.id();
  candidate.base_id = record.base_backup_id();
  candidate.size_bytes = record.size_bytes();
  candidate.damaged = record.damaged();
  int64_t proven_at_ms = record.created_at_ms();
  if (record.verified_depth() >= BackupRecord::AUTHENTIC) {
    proven_at_ms = std::max(proven_at_ms, record.verified_at_ms());
  }
  candidate.proven_at = absl::FromUnixMillis(proven_at_ms);
  const auto tried = earlier.tried.find(record.id());
  if (tried != earlier.tried.end()) {
    candidate.proven_at = std::max(candidate.proven_at, tried->second);
  }
  return candidate;
}

QueuedRun RunOf(const Plan& plan, const std::string& repo_id,
                const std::string& key, const Clock& clock) {
  const absl::Time now = clock.Now();
  QueuedRun run;
  run.job.set_id(NewUlid(clock));
  run.job.set_kind(BackupJob::VERIFY);
  run.job.set_status(BackupJob::PENDING);
  run.job.set_stage("queued");
  run.job.set_plan_id(plan.id());
  run.job.set_repo_id(repo_id);
  run.job.set_created_at_ms(absl::ToUnixMillis(now));
  run.request.set_job_id(run.job.id());
  run.request.set_plan_id(plan.id());
  run.request.set_requester("schedule");
  run.request.set_idempotency_key(key);
  run.request.set_not_before_ms(absl::ToUnixMillis(now));
  // What it did not get to is the next day's.
  run.request.set_expires_at_ms(absl::ToUnixMillis(now + kVerifyEvery));
  return run;
}

}  // namespace

absl::Status AskForDueVerification(const Context& context, Catalog& catalog,
                                   const Clock& clock, const Plan& plan,
                                   const std::string& repo_id) {
  const absl::Time now = clock.Now();
  SLUICE_ASSIGN_OR_RETURN(const absl::Duration span,
                          ParseVerifyRule(plan.spec().verify()));
  if (span == absl::ZeroDuration()) return absl::OkStatus();
  const std::string key =
      absl::StrCat("verify ", plan.id(), " ", repo_id, " ",
                   absl::FormatTime("%Y-%m-%d", now, absl::UTCTimeZone()));
  SLUICE_ASSIGN_OR_RETURN(const Earlier earlier,
                          ReadEarlier(context, catalog, plan, repo_id, key));
  if (earlier.waits) return absl::OkStatus();
  CatalogFilter filter;
  filter.plan_id = plan.id();
  filter.repo_id = repo_id;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          catalog.ListRecords(context, filter));
  std::vector<VerifyCandidate> archives;
  archives.reserve(records.size());
  for (const BackupRecord& record : records) {
    archives.push_back(CandidateOf(record, earlier));
  }
  QueuedRun run = RunOf(plan, repo_id, key, clock);
  for (std::string& id :
       DecideVerification(archives, span, now, earlier.last_share)) {
    run.request.add_backup_ids(std::move(id));
  }
  if (run.request.backup_ids().empty()) return absl::OkStatus();
  return catalog.queue().Enqueue(context, run).status();
}

}  // namespace sluice::service
