#ifndef SLUICE_SERVICE_NOTIFY_CHANNELS_H_
#define SLUICE_SERVICE_NOTIFY_CHANNELS_H_

// Whom the service tells of what, as the configuration file says it under
// "notifications".
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       options.notifications.channels,
//       ParseNotificationsText(R"([{"name": "ops",
//                                   "webhook": {"url": "env:OPS_URL"}}])"));
//
// Pure; any thread. Errors are invalid_argument and name the field, never what
// it holds: it may be a secret.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace sluice::service {

// What there is to tell of; in this order wherever all are listed.
inline constexpr absl::string_view kNotifyEvents[] = {"failed", "missed",
                                                      "overdue", "recovered"};

struct NotifyChannel {
  std::string name;                 // [a-z0-9][a-z0-9._-]{0,62}
  std::vector<std::string> events;  // of kNotifyEvents; empty: all
  std::vector<std::string> plans;   // names, with * and ?; empty: all
  // One of both.
  std::string webhook_url;        // http(s)://…, env:NAME or file:/path
  std::vector<std::string> exec;  // a program and its words

  std::string secret;             // of the webhook: env:NAME or file:/path
  std::string ca_file;            // PEM, beside the system's authorities
  bool allow_link_local = false;  // see AllowAddress

  bool Wants(absl::string_view event) const;
  bool WantsPlan(const std::string& name) const;
};

absl::StatusOr<std::vector<NotifyChannel>> ParseNotifications(
    const nlohmann::json& value);
absl::StatusOr<std::vector<NotifyChannel>> ParseNotificationsText(
    absl::string_view text);

// What ParseNotifications takes for these.
nlohmann::json NotificationsJson(const std::vector<NotifyChannel>& channels);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_NOTIFY_CHANNELS_H_
