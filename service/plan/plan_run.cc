#include "sluice/service/plan/plan_run.h"

namespace sluice::service {

QueuedRun BackupRunOf(const Plan& plan, absl::string_view repo_id,
                      const std::string& job_id, absl::Time now) {
  const PlanSpec& spec = plan.spec();
  QueuedRun run;
  run.job.set_id(job_id);
  run.job.set_kind(BackupJob::BACKUP);
  run.job.set_status(BackupJob::PENDING);
  run.job.set_stage("queued");
  run.job.set_plan_id(plan.id());
  run.job.set_repo_id(std::string(repo_id));
  run.job.set_created_at_ms(absl::ToUnixMillis(now));
  run.request.set_job_id(job_id);
  run.request.set_plan_id(plan.id());
  run.request.set_store(spec.source());
  run.request.set_allow_empty(spec.allow_empty());
  run.request.set_read_back(spec.read_back());
  run.request.set_timeout_ms(spec.timeout_ms());
  if (spec.full_every_ms() > 0) run.request.set_base("latest");
  run.request.set_full_every_ms(spec.full_every_ms());
  *run.request.mutable_required_labels() = spec.required_labels();
  return run;
}

}  // namespace sluice::service
