#include "sluice/service/http/api/api_server.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/service/http/api/testing/api_house.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_client.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

TEST(ApiServerTest, TheSocketDecidesWhoTheCallerIs) {
  ApiHouse house;
  const http::TestFolder folder;
  ApiServerOptions options;
  options.http.tcp = http::TcpEndpoint{};
  options.http.unix_path = folder.File("api.sock");
  auto server = ApiServer::Start(&house.house.catalog(), &house.house.host(),
                                 nullptr, options);
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string get = absl::StrCat(
      "GET /api/v1/repos HTTP/1.1\r\nHost: localhost:", (*server)->port(),
      "\r\n");
  auto local = http::TestClient::Unix(options.http.unix_path);
  ASSERT_TRUE(local.Send(get + "\r\n"));
  const http::TestReply known = local.Receive();
  EXPECT_EQ(known.status, 200);
  EXPECT_THAT(known.body, HasSubstr("\"disk\""));
  auto remote = http::TestClient::Tcp((*server)->port());
  ASSERT_TRUE(remote.Send(get + "\r\n"));
  const http::TestReply nobody = remote.Receive();
  ASSERT_EQ(nobody.status, 401);
  EXPECT_EQ(nobody.headers.at("www-authenticate"), "Bearer");
  ASSERT_TRUE(remote.Send(absl::StrCat(
      get, "Authorization: Bearer ", house.Token(Role::kViewer), "\r\n\r\n")));
  EXPECT_EQ(remote.Receive().status, 200);
}

TEST(ApiServerTest, AStreamTellsOverTheSocketAndEndsWithTheServer) {
  ApiHouse house;
  const http::TestFolder folder;
  ApiServerOptions options;
  options.http.unix_path = folder.File("api.sock");
  options.api.poll = absl::Milliseconds(5);
  auto server = ApiServer::Start(&house.house.catalog(), &house.house.host(),
                                 nullptr, options);
  ASSERT_TRUE(server.ok()) << server.status();
  auto client = http::TestClient::Unix(options.http.unix_path);
  ASSERT_TRUE(
      client.Send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_THAT(client.ReadUntil("event: ready"), HasSubstr("text/event-stream"));
  const std::string job = house.AddJob();
  EXPECT_THAT(client.ReadUntil(job), HasSubstr("event: job.queued"));
  (*server)->BeginDrain();
  (*server)->Stop(absl::ZeroDuration());
  client.ReadAll();
}

TEST(ApiServerTest, WhatItCannotUseIsRefused) {
  ApiHouse house;
  ApiServerOptions options;
  EXPECT_FALSE(ApiServer::Start(&house.house.catalog(), &house.house.host(),
                                nullptr, options)
                   .ok())
      << "no socket";
  options.http.tcp = http::TcpEndpoint{};
  options.api.restore_root = "restored";
  EXPECT_FALSE(ApiServer::Start(&house.house.catalog(), &house.house.host(),
                                nullptr, options)
                   .ok());
  options.api.restore_root = "";
  options.api.allowed_sources = {"*"};
  EXPECT_FALSE(ApiServer::Start(&house.house.catalog(), &house.house.host(),
                                nullptr, options)
                   .ok());
}

}  // namespace
}  // namespace sluice::service
