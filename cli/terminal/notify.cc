#include "sluice/cli/terminal/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/numbers.h"

namespace sluice::cli {

void NotifyManager(const char* socket_name, absl::string_view message) {
  const absl::string_view name = socket_name == nullptr ? "" : socket_name;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // A path, or "@" and a name that is in no file system.
  if (name.size() < 2 || name.size() >= sizeof(address.sun_path) ||
      (name.front() != '/' && name.front() != '@')) {
    return;
  }
  memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const int descriptor =
      socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return;
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&address), length);
  close(descriptor);
}

absl::Duration WatchdogInterval(const char* microseconds) {
  int64_t count = 0;
  if (microseconds == nullptr || !absl::SimpleAtoi(microseconds, &count) ||
      count <= 0) {
    return absl::InfiniteDuration();
  }
  return absl::Microseconds(count) / 2;
}

}  // namespace sluice::cli
