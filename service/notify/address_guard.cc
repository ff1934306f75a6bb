#include "sluice/service/notify/address_guard.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace sluice::service {
namespace {

using Bytes4 = std::array<uint8_t, 4>;
using Bytes16 = std::array<uint8_t, 16>;

// The metadata service of a cloud, at a unique local address.
constexpr Bytes16 kMetadata6 = {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0,    0,
                                0,    0,    0,    0,    0, 0, 0x02, 0x54};

bool IsRefused(const Bytes4& a) {
  return (a[0] == 169 && a[1] == 254) || a[0] == 0 || a[0] >= 224;
}

Bytes4 Part(const Bytes16& a, size_t from) {
  return {a[from], a[from + 1], a[from + 2], a[from + 3]};
}

bool HasPrefix(const Bytes16& a, std::initializer_list<uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), a.begin());
}

bool IsRefused(const Bytes16& a) {
  if (a == kMetadata6 || a[0] == 0xff) return true;
  if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) return true;
  const bool zeros10 = HasPrefix(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  if (zeros10 && a[10] == 0xff && a[11] == 0xff) return IsRefused(Part(a, 12));
  if (zeros10 && a[10] == 0 && a[11] == 0) {
    const Bytes4 last = Part(a, 12);
    return last != Bytes4{0, 0, 0, 1} && IsRefused(last);  // ::1 is loopback
  }
  if (HasPrefix(a, {0x00, 0x64, 0xff, 0x9b})) return IsRefused(Part(a, 12));
  if (HasPrefix(a, {0x20, 0x02})) return IsRefused(Part(a, 2));
  return false;
}

bool IsRefusedSockaddr(const sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    Bytes4 bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IsRefused(bytes);
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    Bytes16 bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IsRefused(bytes);
  }
  return true;
}

}  // namespace

absl::Status AllowAddress(const sockaddr* address, socklen_t size) {
  if (!IsRefusedSockaddr(address, size)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      "a link-local or reserved address; \"allow_link_local\" takes it");
}

}  // namespace sluice::service
