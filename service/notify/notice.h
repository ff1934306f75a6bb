#ifndef SLUICE_SERVICE_NOTIFY_NOTICE_H_
#define SLUICE_SERVICE_NOTIFY_NOTICE_H_

// What people are told, as a line and as JSON (docs/notifications.md).
//
// Pure; any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/catalog/outbox_store.h"
#include "sluice/service/notify/channels.h"
#include "sluice/service/notify/sender.h"

namespace sluice::service {

// A message names no more plans than that, and counts the others.
inline constexpr size_t kPlansNamed = 10;

// A plan in one of its repos.
struct NoticePlan {
  std::string plan;
  std::string plan_id;
  std::string repo;
  std::string repo_id;
  int64_t since_ms = 0;
  std::string error_code;
  std::string error;
  std::string job_id;
};

struct Notice {
  std::string event;      // of kNotifyEvents, or "test"
  bool reminder = false;  // it was told of before, and is so still
  std::vector<NoticePlan> plans;
};

// For each channel that wants it, a message of those plans that it is about.
std::vector<OutboxMessage> MessagesFor(
    const Notice& notice, const std::vector<NotifyChannel>& channels,
    const std::string& id, absl::Time now);

// A message as it is sent. Its id is the row's, where the body has none.
Outgoing OutgoingOf(const OutboxMessage& message);

// What `notify test` sends.
Outgoing TestMessage(const std::string& channel, const std::string& id,
                     absl::Time now);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_NOTIFY_NOTICE_H_
