#include "sluice/service/http/server/origin.h"

#include "gtest/gtest.h"

namespace sluice::http {
namespace {

TEST(OriginTest, KnowsWhatAHostLooksLike) {
  for (const char* host :
       {"localhost", "a.b-c:80", "127.0.0.1:1", "[::1]", "[::1]:443", "h:"}) {
    EXPECT_TRUE(IsHostSyntax(host)) << host;
  }
  for (const char* host : {"", ":80", "a b", "a/b", "a@b", "[::1", "::1", "a:x",
                           "a:123456", "[]", "a\tb", "%61"}) {
    EXPECT_FALSE(IsHostSyntax(host)) << host;
  }
}

TEST(OriginTest, AHostIsOneOfOursWithOurPortOrAnAllowedOne) {
  EXPECT_TRUE(IsAllowedHost("localhost:7450", 7450, "", {}));
  EXPECT_TRUE(IsAllowedHost("10.0.0.1:7450", 7450, "10.0.0.1", {}));
  EXPECT_TRUE(IsAllowedHost("localhost", 443, "", {}));
  EXPECT_FALSE(IsAllowedHost("localhost", 7450, "", {}));
  EXPECT_FALSE(IsAllowedHost("localhost:7451", 7450, "", {}));
  EXPECT_FALSE(IsAllowedHost("x:7450", 7450, "", {}));
  EXPECT_TRUE(IsAllowedHost("X:1", 7450, "", {"x"}));
  EXPECT_TRUE(IsAllowedHost("x:1", 7450, "", {"x:1"}));
  EXPECT_FALSE(IsAllowedHost("x:2", 7450, "", {"x:1"}));
}

}  // namespace
}  // namespace sluice::http
