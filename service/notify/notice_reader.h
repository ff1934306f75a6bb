#ifndef SLUICE_SERVICE_NOTIFY_NOTICE_READER_H_
#define SLUICE_SERVICE_NOTIFY_NOTICE_READER_H_

// Reads what happened, in order, and makes of it what people are to be told:
// rows of the outbox, in the transaction that moves the reading on.
//
// Example:
//
//   NoticeReader reader(catalog, channels, {});
//   while (reader.Step(context).value_or(false)) {
//   }
//
// One message for what has one cause: plans that fail into a repo which fails
// are one as long as it does; others that fail within `group_wait` for the same
// reason are one. What goes on is told again each `remind_every`, and its end
// once.
//
// One thread; any number of processes at one catalog: what one has told, no
// other tells. Errors are the catalog's; nothing was written then.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/notify/channels.h"
#include "sluice/service/notify/notice.h"
#include "sluice/service/notify/target_note.h"

namespace sluice::service {

struct NoticeOptions {
  absl::Duration group_wait = absl::Seconds(30);
  absl::Duration remind_every = absl::Hours(24);
  // How often a look is taken at what is overdue.
  absl::Duration overdue_every = absl::Minutes(5);
  Clock* clock = Clock::Real();
};

// The outbox's channel for calls of a plan's heartbeat URL.
std::string HeartbeatChannel(absl::string_view plan_id);
// Empty where it is none.
std::string PlanOfHeartbeat(absl::string_view channel);

class NoticeReader {
 public:
  // Borrows the catalog.
  NoticeReader(Catalog* catalog, std::vector<NotifyChannel> channels,
               NoticeOptions options);

  // Where nothing was ever read: what happens from now on is told. Step does
  // that too.
  absl::Status BeginIfNew(const Context& context);
  // True: there is more to read.
  absl::StatusOr<bool> Step(const Context& context);

 private:
  using Target = std::pair<std::string, std::string>;  // plan's id, repo's id
  // What one step changes.
  struct Draft {
    absl::Time now;
    std::map<std::string, std::string> before;  // notes as they are stored
    std::map<Target, TargetNote> notes;
    std::map<std::string, std::string> heartbeats;  // job by plan
    std::map<std::string, absl::optional<Plan>> plans;
    std::map<std::string, std::string> repos;
    std::vector<OutboxMessage> messages;
  };

  absl::StatusOr<Draft> DraftNow(const Context& context);
  absl::StatusOr<bool> Store(const Context& context,
                             const OutboxReading& reading, int64_t event_id,
                             const Draft& draft);

  // --- what happened
  absl::Status Apply(const Context& context, const CatalogEvent& event,
                     Draft& draft);
  absl::Status ApplyJob(const Context& context, const CatalogEvent& event,
                        Draft& draft);
  void Fail(const CatalogEvent& event, const std::string& code, Draft& draft);
  void Succeed(const CatalogEvent& event, Draft& draft);
  void Miss(const CatalogEvent& event, Draft& draft);
  absl::Status LookAtTargets(const Context& context, Draft& draft);
  absl::StatusOr<bool> IsLate(const Context& context, const Plan& plan,
                              const PlanTarget& target, absl::Time now);

  // --- what is told of it
  absl::Status TellFailed(const Context& context, Draft& draft);
  absl::Status TellMissed(const Context& context, Draft& draft);
  absl::Status TellOverdue(const Context& context, Draft& draft);
  absl::Status TellRecovered(const Context& context, Draft& draft);
  absl::Status CallHeartbeats(const Context& context, Draft& draft);
  absl::Status Tell(const Context& context, absl::string_view event,
                    bool reminder, const std::vector<Target>& targets,
                    Draft& draft);

  bool HasWaited(int64_t since_ms, absl::Time now) const;
  bool IsForReminder(int64_t told_ms, absl::Time now) const;
  absl::StatusOr<absl::optional<Plan>> PlanOf(const Context& context,
                                              const std::string& plan_id,
                                              Draft& draft);
  absl::StatusOr<std::string> RepoName(const Context& context,
                                       const std::string& repo_id,
                                       Draft& draft);

  Catalog* const catalog_;
  const std::vector<NotifyChannel> channels_;
  const NoticeOptions options_;
  // Events that say nothing to anybody are passed without a transaction, up to
  // here, as long as the catalog holds step `seen_step_`.
  int64_t passed_ = 0;
  int64_t seen_step_ = -1;
  absl::Duration look_at_ =
      -absl::InfiniteDuration();            // at targets, since boot
  std::map<Target, absl::Time> succeeded_;  // as far as it was looked up
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_NOTIFY_NOTICE_READER_H_
