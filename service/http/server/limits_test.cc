// What a client may not do, and for how long it may not do it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_client.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What a server on its defaults says to one piece of text.
TestReply Say(const HttpServer& server, absl::string_view text) {
  TestClient client = TestClient::Tcp(server.port());
  client.Send(text);
  return client.Receive();
}

class LimitsTest : public ::testing::Test {
 protected:
  HttpServerOptions OnFakeClock() {
    HttpServerOptions options = LocalOptions();
    options.clock = &clock_;
    return options;
  }
  // Moves the clock second by second until the server closes; how many.
  int SecondsUntilClosed(TestClient& client) {
    int seconds = 0;
    EXPECT_TRUE(Await([&] {
      if (client.HasEnded()) return true;
      clock_.Advance(absl::Seconds(1));
      ++seconds;
      return false;
    }));
    return seconds;
  }

  FakeClock clock_;
};

// warmcat/libwebsockets#2154, cowboy PR#212.
TEST_F(LimitsTest, SlowHeadersEndAtTheirDeadlineHoweverManyBytesCome) {
  const auto server = MustStart(OnFakeClock(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  client.Send("GET / HTTP/1.1\r\n");
  ASSERT_TRUE(Await([&] { return server->stats().connections == 1; }));
  for (int i = 0; i < 9; ++i) {
    clock_.Advance(absl::Seconds(1));
    const int turns = server->stats().turns;
    ASSERT_TRUE(client.Send("X: 1\r\n"));
    ASSERT_TRUE(Await([&] { return server->stats().turns > turns; }));
    EXPECT_FALSE(client.HasEnded());
  }
  SecondsUntilClosed(client);
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(LimitsTest, AConnectionThatSaysNothingEndsToo) {
  const auto server = MustStart(OnFakeClock(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  ASSERT_TRUE(Await([&] { return server->stats().connections == 1; }));
  EXPECT_GE(SecondsUntilClosed(client), 10);
  EXPECT_TRUE(Await([&] { return server->stats().connections == 0; }));
}

TEST_F(LimitsTest, ASlowBodyEndsAtItsDeadline) {
  const auto server = MustStart(OnFakeClock(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "POST /", "Content-Length: 100\r\n") + "half");
  ASSERT_TRUE(Await([&] { return server->stats().requests == 1; }));
  EXPECT_GE(SecondsUntilClosed(client), 30);
}

TEST_F(LimitsTest, AnIdleConnectionEndsAndABusyOneBeginsAnew) {
  const auto server = MustStart(OnFakeClock(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  for (int i = 0; i < 5; ++i) {
    client.Send(Ask(*server, "GET /"));
    ASSERT_EQ(client.Receive().status, 200);
    clock_.Advance(absl::Seconds(40));
  }
  client.Send(Ask(*server, "GET /"));
  ASSERT_EQ(client.Receive().status, 200);
  EXPECT_GE(SecondsUntilClosed(client), 59);
}

TEST_F(LimitsTest, AClientThatDoesNotTakeItsAnswerIsCutOff) {
  const auto server = MustStart(OnFakeClock(), [](Request&) {
    return TextResponse(200, "text/plain", std::string(64 << 20, 'x'));
  });
  TestClient client = TestClient::Tcp(server->port(), 4096);
  client.Send(Ask(*server, "GET /"));
  EXPECT_EQ(client.ReadUntil("200"), "HTTP/1.1 200");
  ASSERT_TRUE(Await([&] {
    clock_.Advance(absl::Seconds(1));
    return server->stats().connections == 0;
  }));
  EXPECT_LT(client.ReadAll().size(), 64 << 20);
}

TEST(LimitTest, ConnectionsOverTheLimitAre503AndOthersGoOn) {
  HttpServerOptions options = LocalOptions();
  options.max_connections = 2;
  const auto server = MustStart(std::move(options), Hello());
  TestClient first = TestClient::Tcp(server->port());
  {
    const TestClient second = TestClient::Tcp(server->port());
    ASSERT_TRUE(Await([&] { return server->stats().connections == 2; }));
    TestClient third = TestClient::Tcp(server->port());
    EXPECT_EQ(third.Receive().status, 503);
    EXPECT_EQ(third.ReadAll(), "");
    EXPECT_EQ(server->stats().refused_connections, 1);
  }
  ASSERT_TRUE(Await([&] { return server->stats().connections == 1; }));
  EXPECT_EQ(Say(*server, Ask(*server, "GET /")).status, 200);
  first.Send(Ask(*server, "GET /"));
  EXPECT_EQ(first.Receive().status, 200);
}

TEST(LimitTest, OneAddressCannotTakeAllConnectionsNorThoseOfTheUnixSocket) {
  const TestFolder folder;
  HttpServerOptions options = LocalOptions();
  options.unix_path = folder.File("s");
  options.max_connections = 4;
  options.max_connections_per_address = 1;
  const auto server = MustStart(std::move(options), Hello());
  const TestClient first = TestClient::Tcp(server->port());
  ASSERT_TRUE(Await([&] { return server->stats().connections == 1; }));
  EXPECT_EQ(TestClient::Tcp(server->port()).Receive().status, 503);
  TestClient local = TestClient::Unix(folder.File("s"));
  local.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(local.Receive().status, 200);
}

TEST(LimitTest, AHeadOverTheLimitsIs431) {
  HttpServerOptions options = LocalOptions();
  options.max_head_bytes = 4096;
  options.max_header_fields = 20;
  const auto server = MustStart(std::move(options), Hello());
  TestReply reply = Say(
      *server, Ask(*server, "GET /", "X: " + std::string(5000, 'x') + "\r\n"));
  EXPECT_EQ(reply.status, 431);
  EXPECT_THAT(reply.body, HasSubstr("headers_too_large"));
  std::string fields;
  for (int i = 0; i < 20; ++i) fields += "X: 1\r\n";
  EXPECT_EQ(Say(*server, Ask(*server, "GET /", fields)).status, 431);
  // libmicrohttpd's own limit.
  reply = Say(*server,
              Ask(*server, "GET /", "X: " + std::string(20000, 'x') + "\r\n"));
  EXPECT_EQ(reply.status, 431);
  EXPECT_EQ(
      Say(*server, Ask(*server, absl::StrCat("GET /", std::string(20000, 'x'))))
          .status,
      414);
  EXPECT_EQ(Say(*server,
                Ask(*server, "GET /", "X: " + std::string(3000, 'x') + "\r\n"))
                .status,
            200);
}

// transmission PR#468, quick-lint-js#951.
TEST(LimitTest, ANameThatOnlyResolvesToUsIsMisdirected) {
  HttpServerOptions options = LocalOptions();
  options.allowed_hosts = {"backup.example.org"};
  const auto server = MustStart(std::move(options), Hello());
  const auto status = [&](const std::string& host) {
    return Say(*server, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status;
  };
  const std::string port = absl::StrCat(":", server->port());
  EXPECT_EQ(status("localhost" + port), 200);
  EXPECT_EQ(status("LOCALHOST" + port), 200);
  EXPECT_EQ(status("127.0.0.1" + port), 200);
  EXPECT_EQ(status("[::1]" + port), 200);
  EXPECT_EQ(status("backup.example.org"), 200);
  EXPECT_EQ(status("backup.example.org:443"), 200);
  EXPECT_EQ(status("evil.example" + port), 421);
  EXPECT_EQ(status("localhost.evil.example" + port), 421);
  EXPECT_EQ(status("localhost:1"), 421);
  EXPECT_EQ(status("localhost"), 421);
  EXPECT_EQ(status("127.0.0.2" + port), 421);
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("a b"), 400);
  EXPECT_EQ(status("user@localhost" + port), 400);
  EXPECT_EQ(Say(*server, "GET / HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_EQ(Say(*server, "GET / HTTP/1.1\r\nHost: localhost" + port +
                             "\r\nHost: localhost" + port + "\r\n\r\n")
                .status,
            400);
  // The absolute form replaces the header.
  EXPECT_EQ(Say(*server, Ask(*server, "GET http://evil.example/")).status, 421);
}

// moadim-io/daemon#266.
TEST(LimitTest, AnotherSitesPageChangesNothingAndReadsNothing) {
  HttpServerOptions options = LocalOptions();
  options.allowed_origins = {"https://admin.example.org"};
  const auto server = MustStart(std::move(options), Hello());
  const auto status = [&](const std::string& method,
                          const std::string& header) {
    return Say(*server, Ask(*server, method + " /", header + "\r\n")).status;
  };
  const std::string own =
      absl::StrCat("Origin: http://localhost:", server->port());
  for (const char* method : {"GET", "POST", "DELETE"}) {
    EXPECT_EQ(status(method, own), 200);
    EXPECT_EQ(status(method, "Origin: https://admin.example.org"), 200);
    EXPECT_EQ(status(method, "Origin: https://evil.example"), 403);
    EXPECT_EQ(status(method, "Origin: null"), 403);
    EXPECT_EQ(status(method, "Origin: http://localhost"), 403);
  }
  EXPECT_EQ(status("POST", "Sec-Fetch-Site: cross-site"), 403);
  EXPECT_EQ(status("POST", "Sec-Fetch-Site: same-origin"), 200);
  EXPECT_EQ(status("GET", "Sec-Fetch-Site: cross-site"), 200);
}

// webrick PR#146, goliath#351, hertz PR#1490.
TEST(LimitTest, AHeadThatTwoReadersReadInTwoWaysIsRefusedAndTheLineClosed) {
  const auto server = MustStart(LocalOptions(), Hello());
  const auto text = [&](absl::string_view headers) {
    return absl::StrCat("POST / HTTP/1.1\r\nHost: localhost:", server->port(),
                        "\r\n", headers, "\r\n");
  };
  const std::vector<std::string> refused = {
      text("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
      text("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
      text("Content-Length: 5\r\nContent-Length: 5\r\n"),
      text("Content-Length: +5\r\n"),
      text("Content-Length: 5, 5\r\n"),
      text("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      text("Content-Length : 5\r\n"),
      text("X: 1\r\n Y: 2\r\n"),
      text("X: 1\r\n\tY\r\n"),
      text("Transfer: chunked\r\n -Encoding\r\n"),
      text("X: 1\nY: 2\r\n"),
      text("X: 1\rY: 2\r\n"),
      text(absl::string_view("X: a\0b\r\n", 8)),
      text("X: a\x01 b\r\n"),
      text("no colon\r\n"),
      text(": 1\r\n"),
      absl::StrCat("POST  / HTTP/1.1\r\nHost: localhost:", server->port(),
                   "\r\n\r\n"),
      absl::StrCat("POST / HTTP/1.1\nHost: localhost:", server->port(), "\n\n"),
      absl::StrCat("POST / HTTP/1.0\r\nHost: localhost:", server->port(),
                   "\r\nTransfer-Encoding: chunked\r\n\r\n"),
  };
  for (const std::string& request : refused) {
    TestClient client = TestClient::Tcp(server->port());
    client.Send(request + "GET /smuggled HTTP/1.1\r\n\r\n");
    const std::string all = client.ReadAll();
    EXPECT_THAT(all, HasSubstr(" 400 ")) << request;
    EXPECT_THAT(all, Not(HasSubstr("hello"))) << request;
  }
  const std::string both =
      text("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_EQ(Say(*server, both + "0\r\n\r\n").status, 400);
  EXPECT_EQ(Say(*server, text("Transfer-Encoding: gzip, chunked\r\n")).status,
            501);
  EXPECT_EQ(Say(*server, text("Expect: 200-ok\r\n")).status, 417);
  EXPECT_EQ(Say(*server, Ask(*server, "POST /", "", "x")).status, 200);
}

TEST(LimitTest, BadTargetsAreRefusedByNameAndTheConnectionGoesOn) {
  const auto server = MustStart(LocalOptions(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  for (const char* target :
       {"/a/%2e%2e/b", "/%zz", "/a%00", "/?a=1&a=2", "/?a=%f", "*", "a"}) {
    client.Send(Ask(*server, absl::StrCat("GET ", target)));
    const TestReply reply = client.Receive();
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  }
  client.Send(Ask(*server, "OPTIONS *"));
  EXPECT_EQ(client.Receive().status, 200);
}

// libuv#690, wai#928.
TEST_F(LimitsTest, WithoutDescriptorsItWaitsInsteadOfTryingWithoutEnd) {
  const auto server = MustStart(OnFakeClock(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /"));
  ASSERT_EQ(client.Receive().status, 200);

  const int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const int connected = connect(
      waiting, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const bool failed = Await([&] { return server->stats().failed_accepts > 0; });
  // Another client is served meanwhile, and nothing is tried.
  const int turns = server->stats().turns;
  for (int i = 0; i < 20; ++i) {
    client.Send(Ask(*server, "GET /"));
    EXPECT_EQ(client.Receive().status, 200);
  }
  const int tried = server->stats().failed_accepts;
  const int turned = server->stats().turns - turns;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(connected, 0);
  EXPECT_TRUE(failed);
  EXPECT_EQ(tried, 1);
  EXPECT_LT(turned, 200);

  clock_.AwaitWaiters(1);
  clock_.Advance(absl::Milliseconds(100));
  EXPECT_TRUE(Await([&] { return server->stats().connections == 2; }));
  close(waiting);
}

}  // namespace
}  // namespace sluice::http
