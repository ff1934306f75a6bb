#include "sluice/service/notify/notifier.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/notify/notice.h"
#include "sluice/service/notify/sender.h"

namespace sluice::service {
namespace {

constexpr size_t kDueBatch = 1000;
// Longer than any attempt takes: after that another may try.
constexpr absl::Duration kClaim = absl::Minutes(2);
constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr size_t kMaxKeptError = 500;

bool IsHeartbeat(const OutboxMessage& message) {
  return !PlanOfHeartbeat(message.channel).empty();
}

}  // namespace

Notifier::Notifier(Catalog* catalog, NotifierOptions options)
    : catalog_(catalog),
      options_(std::move(options)),
      reader_(catalog, options_.channels, options_.notices),
      alive_(Context::WithCancel(Context::Background())) {}

absl::StatusOr<std::unique_ptr<Notifier>> Notifier::Start(
    Catalog* catalog, NotifierOptions options) {
  std::unique_ptr<Notifier> notifier(new Notifier(catalog, std::move(options)));
  Notifier* const self = notifier.get();
  const auto [patience, cancel] =
      Context::WithTimeout(self->alive_.first, Clock::Real(), kPatience);
  self->Tell("read events", self->reader_.BeginIfNew(patience));
  SLUICE_ASSIGN_OR_RETURN(notifier->thread_,
                          Thread::Start("notify", [self] { self->Run(); }));
  return notifier;
}

Notifier::~Notifier() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  alive_.second(MakeError(absl::StatusCode::kAborted, kShutdown,
                          "the service was stopped"));
  thread_.Join();
}

void Notifier::Run() {
  while (true) {
    ReadEvents();
    const bool go_on = DeliverDue();
    MutexLock lock(mutex_);
    if (stopping_) return;
    if (!go_on) options_.clock->WaitFor(changed_, lock, options_.poll);
    if (stopping_) return;
  }
}

void Notifier::ReadEvents() {
  while (!alive_.first.done()) {
    const absl::StatusOr<bool> more = reader_.Step(alive_.first);
    if (!more.ok()) return Tell("read events", more.status());
    if (!*more) return;
  }
}

bool Notifier::DeliverDue() {
  absl::StatusOr<std::vector<OutboxMessage>> due = catalog_->outbox().Due(
      alive_.first, options_.clock->Now(), kDueBatch, /*per_channel=*/1);
  if (!due.ok()) {
    Tell("read the outbox", due.status());
    return false;
  }
  // People before monitors, of which a dead one may stand behind many plans;
  // and of those first the ones that were not tried in vain.
  const auto rank = [](const OutboxMessage& message) {
    return IsHeartbeat(message) ? message.attempts + 1 : 0;
  };
  std::stable_sort(due->begin(), due->end(),
                   [&](const OutboxMessage& a, const OutboxMessage& b) {
                     return rank(a) < rank(b);
                   });
  bool tried = false;
  for (const OutboxMessage& message : *due) {
    if (alive_.first.done()) return false;
    if (!Deliver(message)) continue;
    tried = true;
    // What happened meanwhile is looked at before the next of many monitors.
    if (IsHeartbeat(message)) break;
  }
  return tried;
}

bool Notifier::Deliver(const OutboxMessage& message) {
  const absl::StatusOr<bool> claimed = catalog_->outbox().Claim(
      alive_.first, message, options_.clock->Now() + kClaim);
  if (!claimed.ok()) Tell("claim a notification", claimed.status());
  if (!claimed.value_or(false)) return false;
  const absl::Status sent = SendOne(message);
  if (!sent.ok()) {
    PutOff(message, sent);
    return true;
  }
  const auto [patience, cancel] =
      Context::WithTimeout(Context::Background(), Clock::Real(), kPatience);
  // Where that fails it is sent again: at least once.
  Tell("note a notification as delivered",
       catalog_->outbox().Delivered(patience, message.id));
  return true;
}

absl::Status Notifier::SendOne(const OutboxMessage& message) {
  const std::string plan_id = PlanOfHeartbeat(message.channel);
  if (!plan_id.empty()) {
    const absl::StatusOr<Plan> plan =
        catalog_->plans().GetPlan(alive_.first, plan_id);
    // Nobody expects it any more.
    if (ErrorCodeOf(plan.status()) == kPlanNotFound) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(plan.status());
    if (plan->spec().heartbeat_url().empty()) return absl::OkStatus();
    return SendHeartbeat(alive_.first, plan->spec().heartbeat_url());
  }
  const auto channel = std::find_if(
      options_.channels.begin(), options_.channels.end(),
      [&](const NotifyChannel& c) { return c.name == message.channel; });
  if (channel == options_.channels.end()) {
    return absl::NotFoundError("this service has no channel of that name");
  }
  return Send(alive_.first, *channel, OutgoingOf(message),
              options_.clock->Now());
}

void Notifier::PutOff(const OutboxMessage& message, const absl::Status& why) {
  const uint32_t attempts = message.attempts + 1;
  const uint32_t most =
      IsHeartbeat(message) ? options_.heartbeat_attempts : options_.attempts;
  absl::Duration backoff = options_.backoff;
  for (uint32_t i = 1; i < attempts && backoff < options_.max_backoff; ++i) {
    backoff *= 2;
  }
  backoff = std::min(backoff, options_.max_backoff) *
            absl::Uniform(random_, 0.75, 1.25);
  // A stop is no failure of the receiver's.
  const bool stopped = alive_.first.done();
  if (stopped) backoff = absl::ZeroDuration();
  const bool give_up = attempts >= most && !stopped;
  const auto [patience, cancel] =
      Context::WithTimeout(Context::Background(), Clock::Real(), kPatience);
  Tell("put a notification off",
       catalog_->outbox().Failed(
           patience, message.id,
           std::string(why.message().substr(0, kMaxKeptError)),
           give_up ? absl::InfiniteFuture() : options_.clock->Now() + backoff));
  if (stopped) return;
  Tell(absl::StrCat(give_up ? "notification given up: " : "notification: ",
                    message.channel),
       why);
}

void Notifier::Tell(absl::string_view what, const absl::Status& status) {
  if (status.ok() || alive_.first.done()) return;
  if (options_.on_problem) options_.on_problem(what, status);
}

}  // namespace sluice::service
