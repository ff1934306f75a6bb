#include "sluice/service/http/server/http_server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/mutex.h"
#include "sluice/service/http/message/problem.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_client.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;

// What a handler was given, as text.
Response Echo(Request& request) {
  return TextResponse(
      200, "text/plain",
      absl::StrCat(request.method, "|", absl::StrJoin(request.path, "|"), "|",
                   request.query.Find("q").value_or("-"), "|", request.body));
}

// A door that handlers wait at.
class Door {
 public:
  void Open() {
    MutexLock lock(mutex_);
    is_open_ = true;
    changed_.NotifyAll();
  }
  void Pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    while (!is_open_) changed_.Wait(lock);
  }
  int waiting() {
    MutexLock lock(mutex_);
    return waiting_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool is_open_ ABSL_GUARDED_BY(mutex_) = false;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(HttpServerTest, AnswersAndTellsThePortThatItPicked) {
  const auto server = MustStart(LocalOptions(), Hello());
  EXPECT_GT(server->port(), 0);
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /"));
  const TestReply reply = client.Receive();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "hello");
}

TEST(HttpServerTest, AHandlerGetsDecodedPartsAndAnEscapedSlashIsData) {
  const auto server = MustStart(LocalOptions(), &Echo);
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "POST /plans/a%2Fb%20c?q=x%26y", "", "body"));
  EXPECT_EQ(client.Receive().body, "POST|plans|a/b c|x&y|body");
}

TEST(HttpServerTest, WhatIsAnsweredAtOnceWaitsForNoWorker) {
  Door door;
  HttpServerOptions options = LocalOptions();
  options.workers = 1;
  options.at_once = [](Request& request) -> absl::optional<Response> {
    if (request.path != std::vector<std::string>{"healthz"}) {
      return absl::nullopt;
    }
    return TextResponse(200, "text/plain", "alive");
  };
  const auto server = MustStart(std::move(options), [&](Request&) {
    door.Pass();
    return TextResponse(200, "text/plain", "done");
  });
  TestClient held = TestClient::Tcp(server->port());
  held.Send(Ask(*server, "GET /"));
  ASSERT_TRUE(Await([&] { return door.waiting() == 1; }));
  TestClient probe = TestClient::Tcp(server->port());
  probe.Send(Ask(*server, "GET /healthz"));
  EXPECT_EQ(probe.Receive().body, "alive");
  probe.Send(Ask(*server, "GET /healthz"));
  EXPECT_EQ(probe.Receive().body, "alive");
  door.Open();
  EXPECT_EQ(held.Receive().body, "done");
}

TEST(HttpServerTest, OneConnectionTakesManyRequestsAndKeepsTheirOrder) {
  const auto server = MustStart(LocalOptions(), &Echo);
  TestClient client = TestClient::Tcp(server->port());
  std::string all;
  for (int i = 0; i < 50; ++i) all += Ask(*server, absl::StrCat("GET /", i));
  client.Send(all);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.Receive().body, absl::StrCat("GET|", i, "|-|"));
  }
  EXPECT_EQ(server->stats().connections, 1);
}

TEST(HttpServerTest, AHeadSentByteByByteIsReadAsOneSentWhole) {
  const auto server = MustStart(LocalOptions(), &Echo);
  TestClient client = TestClient::Tcp(server->port());
  const std::string text =
      Ask(*server, "POST /a?q=1", "X-One:  two \r\nX-Empty:\r\n", "body");
  for (const char c : text) client.Send(absl::string_view(&c, 1));
  EXPECT_EQ(client.Receive().body, "POST|a|1|body");
}

// JuliaWeb/HTTP.jl#1112, wsgidav#123.
TEST(HttpServerTest, HeadHasNoBodyAndTheConnectionGoesOn) {
  const auto server = MustStart(LocalOptions(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "HEAD /") + Ask(*server, "GET /"));
  const TestReply head = client.Receive(/*to_head=*/true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "5");
  EXPECT_EQ(client.Receive().body, "hello");
}

// cpp-httplib#349.
TEST(HttpServerTest, AClientThatWaitsFor100ContinueIsToldAtOnce) {
  const auto server = MustStart(LocalOptions(), &Echo);
  TestClient client = TestClient::Tcp(server->port());
  client.Send(
      Ask(*server, "POST /", "Expect: 100-continue\r\nContent-Length: 4\r\n"));
  EXPECT_EQ(client.Receive().status, 100);
  client.Send("body");
  EXPECT_EQ(client.Receive().body, "POST||-|body");
}

// reactphp/http#256, haproxy#3316.
TEST(HttpServerTest, ABodyThatIsTooLargeIsRefusedBeforeItIsSent) {
  const auto server = MustStart(LocalOptions(), &Echo);
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "POST /",
                  "Expect: 100-continue\r\nContent-Length: 9000000\r\n"));
  const TestReply reply = client.Receive();
  EXPECT_EQ(reply.status, 413);
  EXPECT_THAT(reply.body, HasSubstr("body_too_large"));
}

TEST(HttpServerTest, WhoSendsABodyThatIsTooLargeBeforeReadingGetsTheAnswer) {
  HttpServerOptions options = LocalOptions();
  options.max_body_bytes = 100000;
  const auto server = MustStart(std::move(options), &Echo);
  TestClient client = TestClient::Tcp(server->port());
  EXPECT_TRUE(
      client.Send(Ask(*server, "POST /", "", std::string(300000, 'x'))));
  EXPECT_EQ(client.Receive().status, 413);
  client.Send(Ask(*server, "GET /after"));
  EXPECT_EQ(client.Receive().body, "GET|after|-|");
}

TEST(HttpServerTest, AChunkedBodyIsTakenAndBoundedToo) {
  HttpServerOptions options = LocalOptions();
  options.max_body_bytes = 10;
  const auto server = MustStart(std::move(options), &Echo);
  TestClient client = TestClient::Tcp(server->port());
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  client.Send(Ask(*server, "POST /", chunked) +
              "4\r\nbody\r\n6\r\n-whole\r\n0\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "POST||-|body-whole");
  client.Send(Ask(*server, "POST /", chunked) +
              "b\r\n0123456789a\r\n0\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 413);
}

TEST(HttpServerTest, SaysWhatBrowsersNeedAndNotWhatItIs) {
  const auto server = MustStart(LocalOptions(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /"));
  const TestReply reply = client.Receive();
  EXPECT_EQ(reply.headers.count("server"), 0);
  EXPECT_EQ(reply.headers.at("cache-control"), "no-store");
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(reply.headers.at("x-frame-options"), "DENY");
  EXPECT_THAT(reply.headers.at("content-security-policy"),
              HasSubstr("default-src 'none'"));
}

TEST(HttpServerTest, AHeaderThatWouldSplitTheAnswerEndsTheConnection) {
  const auto server = MustStart(LocalOptions(), [](Request&) {
    Response response;
    response.headers.Set("Location", "/a\r\nX-Forged: 1");
    return response;
  });
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /"));
  EXPECT_EQ(client.ReadAll(), "");
}

TEST(HttpServerTest, AHandlerThatBlocksHoldsUpNobodyElse) {
  Door door;
  HttpServerOptions options = LocalOptions();
  options.workers = 2;
  const auto server = MustStart(std::move(options), [&](Request& request) {
    if (request.path[0] == "slow") door.Pass();
    return Echo(request);
  });
  TestClient slow = TestClient::Tcp(server->port());
  slow.Send(Ask(*server, "GET /slow"));
  ASSERT_TRUE(Await([&] { return door.waiting() == 1; }));
  TestClient quick = TestClient::Tcp(server->port());
  quick.Send(Ask(*server, "GET /quick"));
  EXPECT_EQ(quick.Receive().body, "GET|quick|-|");
  door.Open();
  EXPECT_EQ(slow.Receive().body, "GET|slow|-|");
}

TEST(HttpServerTest, MoreWaitingRequestsThanTheLimitAre503AtOnce) {
  Door door;
  HttpServerOptions options = LocalOptions();
  options.workers = 1;
  options.max_waiting = 1;
  const auto server = MustStart(std::move(options), [&](Request& request) {
    door.Pass();
    return Echo(request);
  });
  TestClient first = TestClient::Tcp(server->port());
  TestClient second = TestClient::Tcp(server->port());
  TestClient third = TestClient::Tcp(server->port());
  first.Send(Ask(*server, "GET /1"));
  ASSERT_TRUE(Await([&] { return door.waiting() == 1; }));
  second.Send(Ask(*server, "GET /2"));
  ASSERT_TRUE(Await([&] { return server->stats().requests == 2; }));
  third.Send(Ask(*server, "GET /3"));
  const TestReply reply = third.Receive();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.headers.count("retry-after"), 1);
  EXPECT_THAT(reply.body, HasSubstr("overloaded"));
  door.Open();
  EXPECT_EQ(first.Receive().body, "GET|1|-|");
  EXPECT_EQ(second.Receive().body, "GET|2|-|");
}

// A connection waits for one answer: where there is room for it, there is for
// its request.
TEST(HttpServerTest, NoRequestOfAConnectionThatWasTakenIsTurnedAway) {
  const TestFolder folder;
  Door door;
  HttpServerOptions options;
  options.unix_path = folder.File("api.sock");
  const int all = options.max_connections;
  const auto server = MustStart(std::move(options), [&](Request& request) {
    door.Pass();
    return Echo(request);
  });
  std::vector<TestClient> clients;
  for (int i = 0; i < all; ++i) {
    clients.push_back(TestClient::Unix(folder.File("api.sock")));
    clients.back().Send("GET / HTTP/1.1\r\nHost: any.example\r\n\r\n");
  }
  EXPECT_TRUE(Await([&] { return server->stats().requests == all; }));
  door.Open();
  int answered = 0;
  for (TestClient& client : clients) answered += client.Receive().status == 200;
  EXPECT_EQ(answered, all);
}

TEST(HttpServerTest, AUnixSocketTellsWhoAsksAndTakesAnyHost) {
  const TestFolder folder;
  HttpServerOptions options;
  options.unix_path = folder.File("api.sock");
  const auto server = MustStart(std::move(options), [](Request& request) {
    return TextResponse(
        200, "text/plain",
        absl::StrCat(request.peer.is_unix, " ", request.peer.uid, " ",
                     request.peer.gid, " ", request.peer.pid));
  });
  TestClient client = TestClient::Unix(folder.File("api.sock"));
  ASSERT_TRUE(client.connected());
  client.Send("GET / HTTP/1.1\r\nHost: any.example\r\n\r\n");
  EXPECT_EQ(client.Receive().body,
            absl::StrCat("1 ", getuid(), " ", getgid(), " ", getpid()));
}

TEST(HttpServerTest, TheAccessLogHoldsNeitherQueryNorPathNorHeader) {
  Mutex mutex;
  std::vector<AccessRecord> log;
  HttpServerOptions options = LocalOptions();
  options.access_log = [&](const AccessRecord& record) {
    MutexLock lock(mutex);
    log.push_back(record);
  };
  Route route;
  route.method = "GET";
  route.pattern = "/plans/{name}";
  route.operation = "getPlan";
  route.handler = Hello();
  const auto router = Router::Create({route});
  ASSERT_TRUE(router.ok());
  auto server = MustStart(std::move(options), [&](Request& request) {
    return router->Handle(request);
  });
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /plans/secret?token=secret",
                  "Authorization: secret\r\n"));
  EXPECT_EQ(client.Receive().status, 200);
  server.reset();
  ASSERT_EQ(log.size(), 1);
  EXPECT_EQ(log[0].method, "GET");
  EXPECT_EQ(log[0].route, "/plans/{name}");
  EXPECT_EQ(log[0].status, 200);
  EXPECT_EQ(log[0].body_bytes, 5);
  EXPECT_GE(log[0].duration, absl::ZeroDuration());
}

TEST(HttpServerTest, AnHttp10ClientGetsAnAnswerAndTheEnd) {
  const auto server = MustStart(LocalOptions(), Hello());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(absl::StrCat("GET / HTTP/1.0\r\nHost: localhost:", server->port(),
                           "\r\n\r\n"));
  const std::string all = client.ReadAll();
  EXPECT_THAT(all, HasSubstr("200"));
  EXPECT_THAT(all, HasSubstr("hello"));
}

TEST(HttpServerTest, OptionsThatMakeNoSenseAreRefused) {
  const auto refusal = [](HttpServerOptions options) {
    return std::string(
        HttpServer::Start(std::move(options), Hello()).status().message());
  };
  EXPECT_THAT(refusal({}), HasSubstr("nothing to listen on"));
  HttpServerOptions options = LocalOptions();
  options.tcp->host = "0.0.0.0";
  EXPECT_THAT(refusal(options), HasSubstr("off loopback only with TLS"));
  options.allow_plain_off_loopback = true;
  EXPECT_EQ(refusal(options), "");
  options = LocalOptions();
  options.tls_certificate_file = "/tmp/c";
  EXPECT_THAT(refusal(options), HasSubstr("without its key"));
  options = LocalOptions();
  options.tcp->host = "example.org";
  EXPECT_THAT(refusal(options), HasSubstr("no such address"));
}

}  // namespace
}  // namespace sluice::http
