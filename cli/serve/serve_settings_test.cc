#include "sluice/cli/serve/serve_settings.h"

#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ServeSettingsTest : public ::testing::Test {
 protected:
  ServeSettingsTest() { WriteConfig("{}"); }

  // Never the machine's own configuration.
  absl::StatusOr<ServeSettings> Read(std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"serve", "--config", config_, "--catalog", "sqlite:/a/c.db"});
    const absl::StatusOr<Command> command = Parse(words, environment_);
    if (!command.ok()) return command.status();
    return ServeSettingsOf(*command, environment_);
  }

  void WriteConfig(absl::string_view text, mode_t mode = 0600) {
    std::ofstream(config_) << text;
    ASSERT_EQ(chmod(config_.c_str(), mode), 0);
  }

  std::string Problem(std::vector<std::string> words) {
    return std::string(Read(std::move(words)).status().message());
  }

  const std::string config_ =
      absl::StrCat(::testing::TempDir(), "/serve-settings-test.json");
  std::map<std::string, std::string> variables_;
  const Environment environment_ = [this](const char* name) -> const char* {
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : found->second.c_str();
  };
};

TEST_F(ServeSettingsTest, WhatNobodySaysIsLoopbackAndASocketByTheCatalog) {
  const auto settings = Read({});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->tcp->host, "127.0.0.1");
  EXPECT_EQ(settings->tcp->port, 8470);
  EXPECT_EQ(settings->socket, "/a/api.sock");
  EXPECT_TRUE(settings->tcp_is_default && settings->socket_is_default);
  EXPECT_EQ(settings->workers, 2);
  EXPECT_EQ(settings->drain, absl::Seconds(30));
  variables_["RUNTIME_DIRECTORY"] = "/run/sluice:/run/other";
  EXPECT_EQ(Read({})->socket, "/run/sluice/api.sock");
}

TEST_F(ServeSettingsTest, AWordBeatsTheFileAndTheFileWhatIsUsual) {
  WriteConfig(R"({"listen": "[::1]:1", "socket": "/s", "workers": 3,
                  "drain": "wait", "tls_cert": "/c", "tls_key": "/k"})");
  const auto file = Read({});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tcp->host, "[::1]");
  EXPECT_EQ(file->socket, "/s");
  EXPECT_FALSE(file->tcp_is_default || file->socket_is_default);
  EXPECT_EQ(file->workers, 3);
  EXPECT_EQ(file->drain, absl::InfiniteDuration());
  const auto words =
      Read({"--listen", "none", "--socket", "none", "--workers", "5", "--drain",
            "1m", "--tls-cert", "/d", "--tls-key", "/e"});
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_FALSE(words->tcp.has_value());
  EXPECT_EQ(words->socket, "");
  EXPECT_EQ(words->workers, 5);
  EXPECT_EQ(words->drain, absl::Minutes(1));
  EXPECT_EQ(words->config.tls_cert, "/d");
  EXPECT_EQ(words->config.tls_key, "/e");
}

TEST_F(ServeSettingsTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Problem({"--listen", "8470"}), HasSubstr("--listen"));
  EXPECT_THAT(Problem({"--drain", "soon"}), HasSubstr("--drain"));
  EXPECT_THAT(Problem({"--workers", "257"}), HasSubstr("--workers"));
  EXPECT_THAT(Problem({"--tls-cert", "/c"}), HasSubstr("--tls-key"));
  EXPECT_THAT(Problem({"--socket", "/" + std::string(200, 's')}),
              HasSubstr("--socket"));
  std::remove(config_.c_str());
  EXPECT_THAT(Problem({}), HasSubstr("No such"));
  WriteConfig("{}", 0666);
  EXPECT_THAT(Problem({}), HasSubstr("others may write"));
}

TEST_F(ServeSettingsTest, TheApiGetsWhatTheFileAllows) {
  WriteConfig(R"({"allowed_sources": ["memory:?load=/srv/*"],
                  "restore_root": "/srv/back", "operator_group": "root",
                  "allowed_hosts": ["b.example"]})");
  const auto options = ApiServerOptionsOf(*Read({}));
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->api.allowed_sources, ElementsAre("memory:?load=/srv/*"));
  EXPECT_EQ(options->api.restore_root, "/srv/back");
  EXPECT_EQ(options->api.operator_group, 0u);
  EXPECT_THAT(options->http.allowed_hosts, ElementsAre("b.example"));
  WriteConfig(R"({"operator_group": "no-such-group"})");
  const auto unknown = ApiServerOptionsOf(*Read({}));
  EXPECT_EQ(ErrorCodeOf(unknown.status()), kInvalidArgument);
}

TEST_F(ServeSettingsTest, WhatNeedsARestartIsKnown) {
  const auto before = Read({});
  WriteConfig(R"({"restore_root": "/srv", "allowed_repos": ["local:/x"]})");
  EXPECT_THAT(NeedRestart(*before, *Read({})), IsEmpty());
  WriteConfig(R"({"listen": "none", "workers": 3, "allowed_hosts": ["a"]})");
  EXPECT_THAT(NeedRestart(*before, *Read({})),
              ElementsAre("listen", "workers", "allowed_hosts"));
}

}  // namespace
}  // namespace sluice::cli
