#include "sluice/service/notify/channels.h"

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ChannelsTest, AreWhatTheConfigurationSays) {
  const auto channels = ParseNotificationsText(
      R"([{"name": "ops", "events": ["failed"], "plans": ["db-*"],
           "webhook": {"url": "env:OPS_URL", "secret": "file:/etc/key",
                       "ca_file": "/etc/ca.pem", "allow_link_local": true}},
          {"name": "pager", "exec": ["/usr/local/bin/page", "a b"]}])");
  ASSERT_TRUE(channels.ok()) << channels.status();
  const NotifyChannel& ops = channels->at(0);
  EXPECT_EQ(ops.webhook_url, "env:OPS_URL");
  EXPECT_EQ(ops.secret, "file:/etc/key");
  EXPECT_TRUE(ops.allow_link_local);
  EXPECT_TRUE(ops.Wants("failed"));
  EXPECT_FALSE(ops.Wants("recovered"));
  EXPECT_TRUE(ops.WantsPlan("db-1"));
  EXPECT_FALSE(ops.WantsPlan("web"));
  const NotifyChannel& pager = channels->at(1);
  EXPECT_THAT(pager.exec, ElementsAre("/usr/local/bin/page", "a b"));
  EXPECT_TRUE(pager.Wants("recovered") && pager.WantsPlan("web"));
}

TEST(ChannelsTest, NamesWhatIsWrongAndNeverWhatItHolds) {
  for (const auto& [text, name] : {
           std::pair{R"({})", "notifications"},
           std::pair{R"([1])", "notifications[0]"},
           std::pair{R"([{"name": "a"}])", "webhook"},
           std::pair{R"([{"name": "a", "exec": ["page"]}])", "exec"},
           std::pair{R"([{"name": "a", "exec": []}])", "exec"},
           std::pair{R"([{"name": "A b", "exec": ["/x"]}])", "name"},
           std::pair{R"([{"exec": ["/x"]}])", "name"},
           std::pair{R"([{"name": "a", "exec": ["/x"], "evnts": []}])",
                     "evnts"},
           std::pair{R"([{"name": "a", "exec": ["/x"], "events": ["all"]}])",
                     "events"},
           std::pair{R"([{"name": "a", "exec": ["/x"], "plans": []}])",
                     "plans"},
           std::pair{R"([{"name": "a", "webhook": {"url": "canary://x"}}])",
                     "url"},
           std::pair{R"([{"name": "a", "webhook": {"url": "cmd:canary"}}])",
                     "url"},
           std::pair{R"([{"name": "a", "webhook": {"url": "env:U",
                          "secret": "canary"}}])",
                     "secret"},
           std::pair{R"([{"name": "a", "webhook": {"url": "env:U",
                          "token": "canary"}}])",
                     "token"},
           std::pair{R"([{"name": "a", "webhook": {"url": "env:U",
                          "ca_file": "ca.pem"}}])",
                     "ca_file"},
           std::pair{R"([{"name": "a", "exec": ["/x"]},
                         {"name": "a", "exec": ["/y"]}])",
                     "name"},
       }) {
    const absl::Status status = ParseNotificationsText(text).status();
    EXPECT_EQ(ErrorCodeOf(status), kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name)) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("canary")));
  }
}

}  // namespace
}  // namespace sluice::service
