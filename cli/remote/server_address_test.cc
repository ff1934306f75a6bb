#include "sluice/cli/remote/server_address.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ServerAddressTest, KnowsASocketAndAnAddress) {
  const auto socket = ParseServer("unix:/run/sluice/../sluice/api.sock");
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(socket->unix_socket, "/run/sluice/api.sock");
  EXPECT_FALSE(socket->loopback_only);
  const auto https = ParseServer("https://backup.example.org:8470/");
  ASSERT_TRUE(https.ok()) << https.status();
  EXPECT_EQ(https->origin, "https://backup.example.org:8470");
  EXPECT_EQ(https->unix_socket, "");
  EXPECT_TRUE(ParseServer("https://[2001:db8::1]:8470").ok());
  EXPECT_TRUE(ParseServer("https://backup").ok());
}

TEST(ServerAddressTest, WithoutTlsThereIsThisMachineAlone) {
  for (const char* here :
       {"http://127.0.0.1:8470", "http://localhost:1", "http://[::1]:8470"}) {
    const auto address = ParseServer(here);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_TRUE(address->loopback_only);
  }
  for (const char* away :
       {"http://example.org", "http://10.0.0.1:8470", "http://127.evil.org",
        "http://localhost.evil.org", "http://0.0.0.0:8470"}) {
    const auto refused = ParseServer(away);
    EXPECT_EQ(ErrorCodeOf(refused.status()), kInvalidArgument) << away;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("TLS"));
  }
}

TEST(ServerAddressTest, RefusesWhatItWouldReadInTwoWays) {
  for (const char* wrong :
       {"", "unix:", "backup.example.org", "https://", "https://a/b",
        "https://a?x", "https://a#b", "https://a:0", "https://a:70000",
        "https://a:8470x", "https://[::1", "https://a\\b", "ftp://a",
        "https://a b", "HTTPS://a", "https://a:"}) {
    EXPECT_EQ(ErrorCodeOf(ParseServer(wrong).status()), kInvalidArgument)
        << wrong;
  }
}

TEST(ServerAddressTest, APasswordInTheAddressIsNotSaidAgain) {
  const auto refused = ParseServer("https://ops:canary@backup.example.org");
  EXPECT_EQ(ErrorCodeOf(refused.status()), kInvalidArgument);
  EXPECT_THAT(refused.status().ToString(), Not(HasSubstr("canary")));
}

TEST(ServerAddressTest, ATokenComesByReference) {
  const std::string path = ::testing::TempDir() + "/token";
  std::ofstream(path) << "sluice_abc\n";
  EXPECT_EQ(ResolveToken("file:" + path, false).value(), "sluice_abc");
  setenv("REMOTE_TEST_TOKEN", "sluice_def", 1);
  EXPECT_EQ(ResolveToken("env:REMOTE_TEST_TOKEN", false).value(), "sluice_def");
  EXPECT_EQ(ResolveToken("sluice_ghi", true).value(), "sluice_ghi");
}

TEST(ServerAddressTest, ATokenOnTheCommandLineIsRefusedAndNotSaidAgain) {
  const auto refused = ResolveToken("sluice_canary", false);
  EXPECT_EQ(ErrorCodeOf(refused.status()), kInvalidArgument);
  EXPECT_THAT(refused.status().ToString(), Not(HasSubstr("canary")));
}

TEST(ServerAddressTest, ATokenThatWouldBreakTheHeaderIsRefused) {
  for (const char* wrong : {"two words", "a\r\nX-Evil: 1", "\xc3\xa4"}) {
    EXPECT_EQ(ErrorCodeOf(ResolveToken(wrong, true).status()),
              kInvalidArgument);
  }
  EXPECT_FALSE(ResolveToken(std::string(600, 'a'), true).ok());
}

}  // namespace
}  // namespace sluice::cli
