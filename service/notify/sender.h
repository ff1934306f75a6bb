#ifndef SLUICE_SERVICE_NOTIFY_SENDER_H_
#define SLUICE_SERVICE_NOTIFY_SENDER_H_

// One message to one channel, once.
//
// Example:
//
//   Outgoing message;
//   message.id = "01J9ZK3M4Q5R6S7T8V9W0X1Y2Z";
//   message.body = R"({"type":"backup.failed"})";
//   SLUICE_RETURN_IF_ERROR(Send(context, channel, message, clock->Now()));
//
// Any thread. Blocks until there is an answer, for kSendTimeout (a program:
// kExecTimeout) at most. Errors are a sentence for people, and hold no secret: of
// a URL neither path nor query.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/executor/context.h"
#include "sluice/service/notify/channels.h"

namespace sluice::service {

inline constexpr absl::Duration kSendTimeout = absl::Seconds(15);
inline constexpr absl::Duration kExecTimeout = absl::Seconds(30);

struct Outgoing {
  std::string id;       // the same each time that it is tried
  std::string event;    // "failed", …
  std::string subject;  // a line for people
  std::string plans;    // names, by commas
  std::string body;     // JSON
};

// OK: a 2xx was answered, or the program ended with 0.
absl::Status Send(const Context& context, const NotifyChannel& channel,
                  const Outgoing& message, absl::Time now);

// GET of the URL that `reference` (env:, file:) names.
absl::Status SendHeartbeat(const Context& context, absl::string_view reference);

// "v1,BASE64": HMAC-SHA256 of "ID.TIMESTAMP.BODY". `secret`: "whsec_" and the
// key in base64, else the key as it is. invalid_argument for an empty or broken
// one.
absl::StatusOr<std::string> WebhookSignature(absl::string_view secret,
                                             absl::string_view id,
                                             int64_t timestamp,
                                             absl::string_view body);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_NOTIFY_SENDER_H_
