#ifndef SLUICE_SERVICE_NOTIFY_ADDRESS_GUARD_H_
#define SLUICE_SERVICE_NOTIFY_ADDRESS_GUARD_H_

// To which addresses a message goes: not to those where a cloud keeps its
// machines' credentials, whatever name led there.

#include <sys/socket.h>

#include "absl/status/status.h"

namespace sluice::service {

// PERMISSION_DENIED for link-local addresses (169.254.0.0/16, fe80::/10),
// 0.0.0.0/8, ::, broadcast and multicast ones, fd00:ec2::254, what is neither
// IPv4 nor IPv6, and for IPv6 addresses in which such an IPv4 one is written
// (mapped, compatible, NAT64, 6to4). Pure; any thread.
absl::Status AllowAddress(const sockaddr* address, socklen_t size);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_NOTIFY_ADDRESS_GUARD_H_
