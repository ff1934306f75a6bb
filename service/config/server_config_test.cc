#include "sluice/service/config/server_config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

TEST(ServerConfigTest, TakesAllThatItsPageNames) {
  const auto config = ParseServerConfig(R"({
      "listen": "[::1]:8471", "socket": "/run/sluice/api.sock",
      "tls_cert": "/c", "tls_key": "/k", "workers": 4, "drain": "wait",
      "allowed_sources": ["memory:?load=/srv/*"],
      "allowed_repos": ["local:/mnt/*"],
      "allowed_restores": ["memory:?save=/srv/back/*"],
      "restore_root": "/srv/restored", "operator_group": "backup",
      "allowed_hosts": ["b.example"], "allowed_origins": ["https://b.example"],
      "notifications": [{"name": "ops", "exec": ["/bin/page"]}]})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "[::1]:8471");
  EXPECT_EQ(config->socket, "/run/sluice/api.sock");
  EXPECT_EQ(config->tls_key, "/k");
  EXPECT_EQ(config->workers, 4);
  EXPECT_EQ(config->drain, absl::InfiniteDuration());
  EXPECT_EQ(config->allowed_sources.size(), 1u);
  EXPECT_EQ(config->allowed_repos.size(), 1u);
  EXPECT_EQ(config->allowed_restores.size(), 1u);
  EXPECT_EQ(config->restore_root, "/srv/restored");
  EXPECT_EQ(config->operator_group, "backup");
  EXPECT_EQ(config->allowed_hosts.size(), 1u);
  EXPECT_EQ(config->allowed_origins.size(), 1u);
  EXPECT_EQ(config->notifications.at(0).name, "ops");
}

TEST(ServerConfigTest, WhatIsNotSaidIsUnset) {
  const auto config = ParseServerConfig("{}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->listen.has_value());
  EXPECT_FALSE(config->socket.has_value());
  EXPECT_FALSE(config->workers.has_value());
  EXPECT_FALSE(config->drain.has_value());
  EXPECT_TRUE(config->notifications.empty());
}

TEST(ServerConfigTest, WhatIsWrongIsNamedByItsKey) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"lisen": "127.0.0.1:1"})", "lisen"},
      {R"({"listen": "127.0.0.1"})", "listen"},
      {R"({"listen": "::1:80"})", "listen"},
      {R"({"listen": "127.0.0.1:70000"})", "listen"},
      {R"({"listen": 8470})", "listen"},
      {R"({"socket": "api.sock"})", "socket"},
      {R"({"tls_cert": "/c"})", "tls_key"},
      {R"({"tls_cert": "c", "tls_key": "/k"})", "tls_cert"},
      {R"({"workers": 0})", "workers"},
      {R"({"workers": 257})", "workers"},
      {R"({"workers": "4"})", "workers"},
      {R"({"drain": "soon"})", "drain"},
      {R"({"allowed_sources": ["*"]})", "allowed_sources"},
      {R"({"allowed_repos": "local:/x"})", "allowed_repos"},
      {R"({"restore_root": "srv"})", "restore_root"},
      {R"({"notifications": {}})", "notifications"},
      {R"({"notifications": [{"name": "ops"}]})", "notifications"},
      {R"({"workers": 1, "workers": 2})", "workers"},
  };
  for (const auto& [text, key] : cases) {
    const auto config = ParseServerConfig(text);
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_EQ(ErrorCodeOf(config.status()), kInvalidArgument) << text;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(key));
  }
  EXPECT_FALSE(ParseServerConfig("").ok());
  EXPECT_FALSE(ParseServerConfig("[]").ok());
  EXPECT_FALSE(ParseServerConfig("{} x").ok());
}

TEST(ServerConfigTest, AnAddressIsAHostAndAPort) {
  for (const char* good : {"127.0.0.1:8470", "[::1]:0", "localhost:80"}) {
    const auto parsed = ParseListen(good);
    ASSERT_TRUE(parsed.ok()) << good;
    EXPECT_TRUE(parsed->has_value()) << good;
  }
  EXPECT_EQ((*ParseListen("[::1]:80"))->host, "[::1]");
  EXPECT_EQ((*ParseListen("[::1]:80"))->port, 80);
  EXPECT_FALSE(ParseListen("none")->has_value());
  for (const char* bad :
       {"", ":80", "80", "1.2.3.4:", "1.2.3.4:-1", "::1:80", "1.2.3.4:x"}) {
    EXPECT_FALSE(ParseListen(bad).ok()) << bad;
  }
}

class ConfigFileTest : public ::testing::Test {
 protected:
  void Write(absl::string_view text, mode_t mode = 0600) {
    std::remove(path_.c_str());
    std::ofstream(path_) << text;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }

  std::string Problem() const {
    return std::string(ReadServerConfig(path_).status().message());
  }

  const std::string path_ =
      absl::StrCat(::testing::TempDir(), "/server-config-test.json");
};

TEST_F(ConfigFileTest, AFileThatOthersMayWriteIsRefused) {
  Write("{}", 0644);
  EXPECT_TRUE(ReadServerConfig(path_).ok());
  for (const mode_t mode : {0620, 0602, 0666}) {
    Write("{}", mode);
    EXPECT_THAT(Problem(), HasSubstr("others may write it")) << mode;
  }
}

TEST_F(ConfigFileTest, AnotherUsersFileIsRefused) {
  Write("{}");
  if (chown(path_.c_str(), 12345, static_cast<gid_t>(-1)) != 0) {
    GTEST_SKIP() << "only root gives files away";
  }
  EXPECT_THAT(Problem(), HasSubstr("belongs to user 12345"));
}

TEST_F(ConfigFileTest, WhatIsNoFileOrTooLargeIsRefused) {
  std::remove(path_.c_str());
  EXPECT_THAT(Problem(), HasSubstr("No such file"));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Problem(), HasSubstr("is no file"));
  Write(std::string(kMaxServerConfigBytes + 1, ' '));
  EXPECT_THAT(Problem(), HasSubstr("is too large"));
  Write(R"({"workers": 0})");
  EXPECT_THAT(Problem(), HasSubstr(path_));
  EXPECT_THAT(Problem(), HasSubstr("workers"));
}

}  // namespace
}  // namespace sluice::service
