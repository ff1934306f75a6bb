#ifndef SLUICE_SERVICE_NOTIFY_NOTIFIER_H_
#define SLUICE_SERVICE_NOTIFY_NOTIFIER_H_

// Tells people, on a thread of its own: reads what happened into the outbox, and
// sends what is in it, until it was taken or nobody took it for a day.
//
// Example:
//
//   NotifierOptions options;
//   options.channels = channels;
//   SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Notifier> notifier,
//                           Notifier::Start(catalog, options));
//
// What was not sent when the object goes is sent by the next one: all of it is
// in the catalog. Nobody waits for it; a receiver that does not answer costs the
// others kSendTimeout at most. Memory: a batch of messages.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/notify/channels.h"
#include "sluice/service/notify/notice_reader.h"

namespace sluice::service {

struct NotifierOptions {
  std::vector<NotifyChannel> channels;
  NoticeOptions notices;
  // How often a look is taken at what happened.
  absl::Duration poll = absl::Seconds(5);
  // After a first attempt that failed; twice as long each time, up to the other.
  absl::Duration backoff = absl::Seconds(30);
  absl::Duration max_backoff = absl::Hours(1);
  // A message was tried for a day then, a heartbeat for two hours.
  uint32_t attempts = 30;
  uint32_t heartbeat_attempts = 8;
  Clock* clock = Clock::Real();
  // Told of what cannot be done now. May be empty.
  std::function<void(absl::string_view what, const absl::Status&)> on_problem;
};

class Notifier {
 public:
  // Borrows the catalog. resource_exhausted where there is no thread.
  static absl::StatusOr<std::unique_ptr<Notifier>> Start(
      Catalog* catalog, NotifierOptions options);
  // Breaks off what it sends.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

 private:
  Notifier(Catalog* catalog, NotifierOptions options);

  void Run();
  void ReadEvents();
  // True: something was sent, or tried; there may be more.
  bool DeliverDue();
  // False: nothing was tried.
  bool Deliver(const OutboxMessage& message);
  absl::Status SendOne(const OutboxMessage& message);
  void PutOff(const OutboxMessage& message, const absl::Status& why);
  void Tell(absl::string_view what, const absl::Status& status);

  Catalog* const catalog_;
  const NotifierOptions options_;
  NoticeReader reader_;
  absl::BitGen random_;
  const std::pair<Context, Context::CancelFunction> alive_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_NOTIFY_NOTIFIER_H_
