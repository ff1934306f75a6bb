#ifndef SLUICE_CLI_TERMINAL_NOTIFY_H_
#define SLUICE_CLI_TERMINAL_NOTIFY_H_

// Tells the service manager how it stands: sd_notify(3), without its library.
//
// Example:
//
//   NotifyManager(getenv("NOTIFY_SOCKET"), "READY=1");
//
// Any thread. Never blocks; where nobody listens, or the message cannot be sent,
// nothing happens.

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::cli {

// `socket`: as $NOTIFY_SOCKET has it; null or empty: nobody listens.
void NotifyManager(const char* socket, absl::string_view message);

// How often "WATCHDOG=1" is to be said, of $WATCHDOG_USEC: twice as often as is
// asked for. Infinite where it is not asked for.
absl::Duration WatchdogInterval(const char* microseconds);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_NOTIFY_H_
