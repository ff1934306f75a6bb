#include "sluice/plugins/postgres/endpoint.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

absl::StatusOr<ConnectionOptions> From(
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  sdk::Options options;
  for (const auto& pair : pairs) options.Set(pair.first, pair.second);
  return ConnectionFrom(options);
}

TEST(EndpointTest, TakesUserHostPortAndDatabaseFromAUri) {
  const auto connection =
      From({{"authority", "alice@db.example:5433"}, {"path", "/orders"}});
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(connection->Get("user"), "alice");
  EXPECT_EQ(connection->Get("host"), "db.example");
  EXPECT_EQ(connection->Get("port"), "5433");
  EXPECT_EQ(connection->Get("dbname"), "orders");
}

TEST(EndpointTest, TakesAddressesSeveralHostsAndNone) {
  EXPECT_EQ(From({{"authority", "[::1]:7"}})->Get("host"), "::1");
  EXPECT_EQ(From({{"authority", "[::1]:7"}})->Get("port"), "7");
  EXPECT_EQ(From({{"authority", "[::1]"}})->Get("port"), "");
  EXPECT_EQ(From({{"authority", "a:1,b"}})->Get("host"), "a,b");
  EXPECT_EQ(From({{"authority", "a:1,b"}})->Get("port"), "1,");
  EXPECT_EQ(From({{"authority", "alice@"}})->Get("host"), "");
  EXPECT_TRUE(From({{"path", "/"}})->parameters.empty());
}

TEST(EndpointTest, PassesOnWhatLibpqKnowsAndTheSecret) {
  const auto connection = From({{"service", "nightly"},
                                {"sslmode", "verify-full"},
                                {"password", "canary"},
                                {"connect_timeout", "3s"}});
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(connection->Get("service"), "nightly");
  EXPECT_EQ(connection->Get("sslmode"), "verify-full");
  EXPECT_EQ(connection->Get("password"), "");
  EXPECT_EQ(connection->password, "canary");
  EXPECT_EQ(connection->connect_timeout, absl::Seconds(3));
}

TEST(EndpointTest, TakesWhatLibpqsUsersWriteIntoAUri) {
  const auto connection = From({{"application_name", "nightly"},
                                {"options", "-c role=backup"},
                                {"keepalives", "1"},
                                {"keepalives_idle", "30"},
                                {"keepalives_interval", "5"},
                                {"keepalives_count", "3"},
                                {"tcp_user_timeout", "10000"},
                                {"connect_timeout", "3"}});
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(connection->Get("application_name"), "nightly");
  EXPECT_EQ(connection->Get("options"), "-c role=backup");
  EXPECT_EQ(connection->Get("keepalives_idle"), "30");
  EXPECT_EQ(connection->connect_timeout, absl::Seconds(3));
  EXPECT_EQ(From({{"connect_timeout", "1"}})->connect_timeout,
            absl::Seconds(2));
  for (const char* const for_ever : {"0", "-1"}) {
    EXPECT_EQ(From({{"connect_timeout", for_ever}})->connect_timeout,
              absl::InfiniteDuration());
  }
  EXPECT_FALSE(From({{"connect_timeout", "soon"}}).ok());
}

TEST(EndpointTest, RefusesWhatIsGivenTwiceOrIsNoName) {
  EXPECT_EQ(ErrorCodeOf(From({{"path", "/a"}, {"dbname", "b"}}).status()),
            kSourceConfigInvalid);
  EXPECT_EQ(ErrorCodeOf(From({{"path", "orders"}}).status()),
            kSourceConfigInvalid);
  EXPECT_EQ(ErrorCodeOf(From({{"dbname", std::string("a\0b", 3)}}).status()),
            kSourceConfigInvalid);
}

TEST(EndpointTest, ReadsColumnsOfPayloadIds) {
  const auto columns =
      ParsePayloadIds("public.Files.block,\"A.b\".\"c\"\"\".d");
  ASSERT_TRUE(columns.ok()) << columns.status();
  ASSERT_EQ(columns->size(), 2u);
  EXPECT_EQ((*columns)[0].table, "files");
  EXPECT_EQ((*columns)[1].schema, "A.b");
  EXPECT_EQ((*columns)[1].table, "c\"");
  EXPECT_TRUE(ParsePayloadIds("")->empty());
  for (const char* const wrong : {"a", "a.b", "a.b.c.d", "a..c", "a.b.\"c",
                                  "a.b.c,", ".b.c", "a.b.\"\""}) {
    EXPECT_EQ(ErrorCodeOf(ParsePayloadIds(wrong).status()),
              kSourceConfigInvalid)
        << wrong;
  }
}

}  // namespace
}  // namespace sluice::postgres
