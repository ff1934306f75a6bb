// How a server ends.

#include <atomic>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_client.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Minutes(10);

Thread MustStartThread(std::function<void()> body) {
  auto thread = Thread::Start("test", std::move(body));
  EXPECT_TRUE(thread.ok());
  return *std::move(thread);
}

// dusty#166, wai#853.
TEST(StopTest, IdleConnectionsDoNotHoldIt) {
  const auto server = MustStart(LocalOptions(), Hello());
  TestClient used = TestClient::Tcp(server->port());
  used.Send(Ask(*server, "GET /"));
  ASSERT_EQ(used.Receive().status, 200);
  TestClient silent = TestClient::Tcp(server->port());
  ASSERT_TRUE(Await([&] { return server->stats().connections == 2; }));
  server->Stop(kLong);
  EXPECT_EQ(used.ReadAll(), "");
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_FALSE(TestClient::Tcp(server->port()).connected());
}

// golang/go#41344, axum#2673.
TEST(StopTest, OpenStreamsEndAndDoNotHoldIt) {
  std::shared_ptr<ResponseStream> stream = std::make_shared<ResponseStream>();
  const auto server = MustStart(
      LocalOptions(), [&](Request&) { return EventStreamResponse(stream); });
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /events"));
  ASSERT_TRUE(Await([&] { return server->stats().streams == 1; }));
  stream->Send({"", "", "last"});
  server->Stop(kLong);
  const TestReply reply = client.Receive();
  EXPECT_EQ(reply.body, "data: last\n\n");
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_FALSE(stream->Send({"", "", "too late"}));
}

// http4s#7956.
TEST(StopTest, ARequestInFlightIsFinishedAndItsConnectionClosed) {
  std::atomic<bool> entered{false};
  std::atomic<bool> go{false};
  const auto server = MustStart(LocalOptions(), [&](Request&) {
    entered = true;
    EXPECT_TRUE(Await([&] { return go.load(); }));
    return TextResponse(200, "text/plain", "done");
  });
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /"));
  ASSERT_TRUE(Await([&] { return entered.load(); }));
  Thread stop = MustStartThread([&] { server->Stop(kLong); });
  ASSERT_TRUE(
      Await([&] { return !TestClient::Tcp(server->port()).connected(); }));
  go = true;
  const TestReply reply = client.Receive();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "done");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  stop.Join();
  EXPECT_EQ(client.ReadAll(), "");
}

TEST(StopTest, AfterTheDeadlineHandlersAreToldAndTheRestIsClosed) {
  std::atomic<int> entered{0};
  HttpServerOptions options = LocalOptions();
  options.workers = 1;
  const auto server = MustStart(std::move(options), [&](Request& request) {
    ++entered;
    EXPECT_TRUE(Await([&] { return request.cancelled(); }));
    return TextResponse(200, "text/plain", "nobody hears this");
  });
  TestClient working = TestClient::Tcp(server->port());
  TestClient waiting = TestClient::Tcp(server->port());
  TestClient writing = TestClient::Tcp(server->port());
  working.Send(Ask(*server, "GET /"));
  ASSERT_TRUE(Await([&] { return entered == 1; }));
  waiting.Send(Ask(*server, "GET /"));
  writing.Send(Ask(*server, "POST /", "Content-Length: 10\r\n"));
  ASSERT_TRUE(Await([&] { return server->stats().requests == 3; }));
  server->Stop(absl::Milliseconds(1));
  EXPECT_EQ(working.ReadAll(), "");
  EXPECT_EQ(waiting.ReadAll(), "");
  EXPECT_EQ(writing.ReadAll(), "");
  EXPECT_EQ(entered, 1);
  EXPECT_EQ(server->stats().connections, 0);
}

TEST(StopTest, StopsOnceHoweverOftenItIsToldAndStreamsMayOutliveIt) {
  std::shared_ptr<ResponseStream> stream = std::make_shared<ResponseStream>();
  auto server = MustStart(
      LocalOptions(), [&](Request&) { return EventStreamResponse(stream); });
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /events"));
  ASSERT_TRUE(Await([&] { return server->stats().streams == 1; }));
  Thread one = MustStartThread([&] { server->Stop(kLong); });
  Thread two = MustStartThread([&] { server->Stop(absl::ZeroDuration()); });
  one.Join();
  two.Join();
  server.reset();
  EXPECT_FALSE(stream->Send({"", "", "x"}));
  stream->End();
}

}  // namespace
}  // namespace sluice::http
