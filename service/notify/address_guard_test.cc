#include "sluice/service/notify/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "gtest/gtest.h"

namespace sluice::service {
namespace {

bool IsAllowed(const char* text) {
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
    return AllowAddress(reinterpret_cast<sockaddr*>(&v6), sizeof(v6)).ok();
  }
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  EXPECT_EQ(inet_pton(AF_INET, text, &v4.sin_addr), 1) << text;
  return AllowAddress(reinterpret_cast<sockaddr*>(&v4), sizeof(v4)).ok();
}

TEST(AddressGuardTest, ACloudsMetadataIsReachedUnderNoNotation) {
  for (const char* address :
       {"169.254.169.254", "169.254.0.1", "0.0.0.0", "255.255.255.255",
        "224.0.0.1", "fe80::1", "febf::1", "::", "ff02::1",
        "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::169.254.169.254",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1",
        "fd00:ec2::254"}) {
    EXPECT_FALSE(IsAllowed(address)) << address;
  }
}

TEST(AddressGuardTest, WhatPeopleReceiveAtIsAllowed) {
  for (const char* address :
       {"127.0.0.1", "10.0.0.1", "192.168.1.1", "93.184.216.34", "::1",
        "2606:2800:220:1::1", "fd12::1", "::ffff:127.0.0.1",
        "64:ff9b::5db8:d822", "fec0::1"}) {
    EXPECT_TRUE(IsAllowed(address)) << address;
  }
}

TEST(AddressGuardTest, WhatIsNoInternetAddressIsRefused) {
  sockaddr_un local = {};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(
      AllowAddress(reinterpret_cast<sockaddr*>(&local), sizeof(local)).ok());
  sockaddr_in cut = {};
  cut.sin_family = AF_INET;
  EXPECT_FALSE(AllowAddress(reinterpret_cast<sockaddr*>(&cut), 2).ok());
}

}  // namespace
}  // namespace sluice::service
