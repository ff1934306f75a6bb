// Whatever is a list of notifications says the same once it was written anew,
// and holds no secret but by reference.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/service/notify/channels.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::service;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<std::vector<NotifyChannel>> channels =
      ParseNotificationsText(text);
  if (!channels.ok()) {
    if (sluice::ErrorCodeOf(channels.status()) != sluice::kInvalidArgument)
      std::abort();
    return 0;
  }
  for (const NotifyChannel& channel : *channels) {
    if (!channel.secret.empty() && !absl::StartsWith(channel.secret, "env:") &&
        !absl::StartsWith(channel.secret, "file:"))
      std::abort();
    if (channel.webhook_url.empty() == channel.exec.empty()) std::abort();
  }
  const nlohmann::json once = NotificationsJson(*channels);
  const auto again = ParseNotifications(once);
  if (!again.ok() || NotificationsJson(*again) != once) std::abort();
  return 0;
}
