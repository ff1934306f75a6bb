#include "sluice/service/engine/simulation/sim_catalog.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

class Asker {
 public:
  explicit Asker(std::function<SimCall(absl::string_view)> ask)
      : ask_(std::move(ask)) {}

  template <typename Call>
  auto Around(absl::string_view what, Call call) -> decltype(call()) {
    const absl::Status died =
        MakeError(absl::StatusCode::kAborted, kDied, what);
    const SimCall fate = ask_(what);
    if (fate == SimCall::kDiesBefore) return died;
    auto answer = call();
    if (fate == SimCall::kDiesAfter) return died;
    return answer;
  }

 private:
  const std::function<SimCall(absl::string_view)> ask_;
};

class AskedPlans final : public PlanStore {
 public:
  AskedPlans(PlanStore* inner, Asker* asker) : inner_(inner), asker_(asker) {}

  absl::Status AddPlan(const Context& context, const Plan& plan,
                       const std::vector<PlanTarget>& targets) override {
    return inner_->AddPlan(context, plan, targets);
  }
  absl::Status UpdatePlan(const Context& context, const Plan& plan,
                          const std::vector<PlanTarget>& targets) override {
    return inner_->UpdatePlan(context, plan, targets);
  }
  absl::StatusOr<Plan> GetPlan(const Context& context,
                               absl::string_view id) override {
    return inner_->GetPlan(context, id);
  }
  absl::StatusOr<std::vector<Plan>> ListPlans(const Context& context) override {
    return inner_->ListPlans(context);
  }
  absl::Status RemovePlan(const Context& context,
                          absl::string_view id) override {
    return inner_->RemovePlan(context, id);
  }
  absl::StatusOr<std::vector<PlanTarget>> ListTargets(
      const Context& context, absl::string_view plan_id) override {
    return asker_->Around(
        "list", [&] { return inner_->ListTargets(context, plan_id); });
  }
  absl::StatusOr<std::vector<PlanTarget>> DueTargets(const Context& context,
                                                     absl::Time now,
                                                     size_t limit) override {
    return asker_->Around(
        "due", [&] { return inner_->DueTargets(context, now, limit); });
  }
  absl::StatusOr<absl::Time> NextRunAt(const Context& context) override {
    return asker_->Around("next", [&] { return inner_->NextRunAt(context); });
  }
  absl::StatusOr<std::vector<FireResult>> FireAll(
      const Context& context, absl::Span<const FireStep> steps) override {
    return asker_->Around("fire",
                          [&] { return inner_->FireAll(context, steps); });
  }
  absl::StatusOr<std::vector<std::pair<Firing, BackupJob>>> EndedFirings(
      const Context& context, size_t limit) override {
    return asker_->Around("ended",
                          [&] { return inner_->EndedFirings(context, limit); });
  }
  absl::Status SettleAll(const Context& context,
                         absl::Span<const SettleStep> steps) override {
    return asker_->Around("settle",
                          [&] { return inner_->SettleAll(context, steps); });
  }
  absl::StatusOr<std::vector<Firing>> ListFirings(
      const Context& context, const FiringFilter& filter) override {
    return inner_->ListFirings(context, filter);
  }
  absl::StatusOr<size_t> DeleteFirings(const Context& context,
                                       absl::Time before) override {
    return inner_->DeleteFirings(context, before);
  }

 private:
  PlanStore* const inner_;
  Asker* const asker_;
};

// All but plans() is the other's.
class AskedCatalog final : public Catalog {
 public:
  AskedCatalog(Catalog* inner, std::function<SimCall(absl::string_view)> ask)
      : inner_(inner),
        asker_(std::move(ask)),
        plans_(&inner->plans(), &asker_) {}

  PlanStore& plans() override { return plans_; }
  JobQueue& queue() override { return inner_->queue(); }
  EventLog& events() override { return inner_->events(); }
  AccessStore& access() override { return inner_->access(); }
  NodeStore& nodes() override { return inner_->nodes(); }
  OutboxStore& outbox() override { return inner_->outbox(); }
  SettingStore& settings() override { return inner_->settings(); }

  std::string catalog_id() const override { return inner_->catalog_id(); }
  absl::Status CreateBackupJob(const Context& context,
                               const BackupJob& job) override {
    return inner_->CreateBackupJob(context, job);
  }
  absl::Status UpdateBackupJob(const Context& context,
                               const BackupJob& job) override {
    return inner_->UpdateBackupJob(context, job);
  }
  absl::Status UpdateBackupJobProgress(const Context& context,
                                       absl::string_view job_id,
                                       uint32_t progress, uint64_t bytes_done,
                                       absl::string_view stage) override {
    return inner_->UpdateBackupJobProgress(context, job_id, progress,
                                           bytes_done, stage);
  }
  absl::Status CreateBackupRecord(const Context& context,
                                  const BackupRecord& record) override {
    return inner_->CreateBackupRecord(context, record);
  }
  absl::Status AddRepo(const Context& context,
                       const BackupRepo& repo) override {
    return inner_->AddRepo(context, repo);
  }
  absl::Status UpdateRepo(const Context& context,
                          const BackupRepo& repo) override {
    return inner_->UpdateRepo(context, repo);
  }
  absl::StatusOr<BackupRepo> GetRepo(const Context& context,
                                     absl::string_view id) override {
    return inner_->GetRepo(context, id);
  }
  absl::StatusOr<std::vector<BackupRepo>> ListRepos(
      const Context& context) override {
    return inner_->ListRepos(context);
  }
  absl::Status RemoveRepo(const Context& context,
                          absl::string_view id) override {
    return inner_->RemoveRepo(context, id);
  }
  absl::StatusOr<BackupRecord> GetRecord(const Context& context,
                                         absl::string_view id) override {
    return inner_->GetRecord(context, id);
  }
  absl::StatusOr<std::vector<BackupRecord>> ListRecords(
      const Context& context, const CatalogFilter& filter) override {
    return inner_->ListRecords(context, filter);
  }
  absl::Status SetPin(const Context& context, absl::string_view id,
                      const absl::optional<Pin>& pin) override {
    return inner_->SetPin(context, id, pin);
  }
  absl::Status SetDamaged(const Context& context, absl::string_view id,
                          bool damaged) override {
    return inner_->SetDamaged(context, id, damaged);
  }
  absl::Status SetVerified(const Context& context, absl::string_view id,
                           BackupRecord::Depth depth, absl::Time at) override {
    return inner_->SetVerified(context, id, depth, at);
  }
  absl::Status DeleteRecord(const Context& context,
                            absl::string_view id) override {
    return inner_->DeleteRecord(context, id);
  }
  absl::StatusOr<CatalogJob> GetJob(const Context& context,
                                    absl::string_view id) override {
    return inner_->GetJob(context, id);
  }
  absl::StatusOr<std::vector<CatalogJob>> ListJobs(
      const Context& context, const CatalogFilter& filter) override {
    return inner_->ListJobs(context, filter);
  }
  absl::Status RequestCancel(const Context& context,
                             absl::string_view id) override {
    return inner_->RequestCancel(context, id);
  }
  void OnCancelRequested(
      absl::string_view job_id,
      std::function<void(absl::Status cause)> callback) override {
    inner_->OnCancelRequested(job_id, std::move(callback));
  }
  absl::Status CheckLease(const Context& context,
                          absl::string_view job_id) override {
    return inner_->CheckLease(context, job_id);
  }
  absl::Status BeginPublish(const Context& context,
                            absl::string_view job_id) override {
    return inner_->BeginPublish(context, job_id);
  }
  absl::Status TakeOver(const Context& context,
                        absl::string_view job_id) override {
    return inner_->TakeOver(context, job_id);
  }
  absl::Status Release(const Context& context,
                       absl::string_view job_id) override {
    return inner_->Release(context, job_id);
  }

 private:
  Catalog* const inner_;
  Asker asker_;
  AskedPlans plans_;
};

}  // namespace

std::unique_ptr<Catalog> WithEachCallAsked(
    Catalog* inner, std::function<SimCall(absl::string_view)> ask) {
  return std::make_unique<AskedCatalog>(inner, std::move(ask));
}

}  // namespace sluice::service
