// Event streams.

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/mutex.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_client.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;

// A sanitizer keeps what was freed, and shadows the rest.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLUICE_HTTP_SANITIZED 1
#endif
#endif
#ifdef SLUICE_HTTP_SANITIZED
constexpr size_t kMostBytesAStream = 1024 * 1024;
#else
constexpr size_t kMostBytesAStream = 64 * 1024;
#endif

// What a service would keep: the streams that are open.
class Hub {
 public:
  Handler handler() {
    return [this](Request&) {
      auto stream = std::make_shared<ResponseStream>();
      stream->OnClosed([this] { ++closed_; });
      MutexLock lock(mutex_);
      streams_.push_back(stream);
      return EventStreamResponse(stream);
    };
  }
  // Lets go of those that are over.
  void Publish(const Event& event) {
    MutexLock lock(mutex_);
    std::vector<std::shared_ptr<ResponseStream>> open;
    for (auto& stream : streams_) {
      if (stream->Send(event)) open.push_back(std::move(stream));
    }
    streams_ = std::move(open);
  }
  void End() {
    MutexLock lock(mutex_);
    for (const auto& stream : streams_) stream->End();
  }
  int size() {
    MutexLock lock(mutex_);
    return static_cast<int>(streams_.size());
  }
  int closed() const { return closed_; }

 private:
  std::atomic<int> closed_{0};
  Mutex mutex_;
  std::vector<std::shared_ptr<ResponseStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(getpagesize());
}

// django-eventstream PR#37, nginx#1505.
TEST(StreamTest, EachEventArrivesAtOnceAndProxiesAreToldNotToHoldItBack) {
  Hub hub;
  const auto server = MustStart(LocalOptions(), hub.handler());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /events"));
  const std::string head = client.ReadUntil("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Accel-Buffering: no\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  for (int i = 0; i < 100; ++i) {
    hub.Publish({absl::StrCat(i), "job", "{}"});
    EXPECT_THAT(client.ReadUntil("\n\n"),
                HasSubstr(absl::StrCat("id: ", i, "\nevent: job\ndata: {}\n")));
  }
}

TEST(StreamTest, ASilentStreamSendsACommentEach15Seconds) {
  FakeClock clock;
  Hub hub;
  HttpServerOptions options = LocalOptions();
  options.clock = &clock;
  const auto server = MustStart(std::move(options), hub.handler());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /events"));
  client.ReadUntil("\r\n\r\n");
  for (int i = 0; i < 20; ++i) {
    clock.Advance(absl::Seconds(15));
    EXPECT_THAT(client.ReadUntil("\n\n"), HasSubstr(":\n\n"));
  }
  EXPECT_EQ(server->stats().streams, 1);
}

// opencode#31923, OpenCTI#13908.
TEST(StreamTest, AClientThatDoesNotReadIsDroppedAndOthersMissNothing) {
  Hub hub;
  const auto server = MustStart(LocalOptions(), hub.handler());
  TestClient stalled = TestClient::Tcp(server->port(), 4096);
  TestClient good = TestClient::Tcp(server->port());
  stalled.Send(Ask(*server, "GET /events"));
  good.Send(Ask(*server, "GET /events"));
  ASSERT_TRUE(Await([&] { return server->stats().streams == 2; }));
  good.ReadUntil("\r\n\r\n");
  const std::string data(8000, 'x');
  int sent = 0;
  while (hub.size() == 2 && sent < 10000) {
    hub.Publish({absl::StrCat(sent), "", data});
    EXPECT_THAT(good.ReadUntil("\n\n"), HasSubstr(absl::StrCat("id: ", sent)));
    ++sent;
  }
  EXPECT_EQ(hub.size(), 1);
  EXPECT_TRUE(Await([&] { return server->stats().streams == 1; }));
  EXPECT_EQ(hub.closed(), 1);
  hub.Publish({"last", "", ""});
  EXPECT_THAT(good.ReadUntil("\n\n"), HasSubstr("id: last"));
}

TEST(StreamTest, AClientThatTakesNotEvenHeartbeatsIsDropped) {
  FakeClock clock;
  Hub hub;
  HttpServerOptions options = LocalOptions();
  options.clock = &clock;
  const auto server = MustStart(std::move(options), [&](Request& request) {
    Response response = hub.handler()(request);
    // More than sockets take, and less than what is cut off at once.
    for (int i = 0; i < 60; ++i) response.stream->Write(std::string(1000, 'x'));
    return response;
  });
  TestClient client = TestClient::Tcp(server->port(), 2048);
  client.Send(Ask(*server, "GET /events"));
  ASSERT_TRUE(Await([&] { return server->stats().streams == 1; }));
  while (hub.size() == 1 && hub.closed() == 0) {
    hub.Publish({"", "", std::string(1000, 'x')});
    clock.Advance(absl::Seconds(15));
  }
  EXPECT_TRUE(Await([&] { return hub.closed() == 1; }));
  EXPECT_TRUE(Await([&] { return server->stats().connections == 0; }));
}

// opencode#15645.
TEST(StreamTest, AClientThatLeavesIsNoticedThoughNothingIsSent) {
  Hub hub;
  const auto server = MustStart(LocalOptions(), hub.handler());
  {
    TestClient client = TestClient::Tcp(server->port());
    client.Send(Ask(*server, "GET /events"));
    ASSERT_TRUE(Await([&] { return server->stats().streams == 1; }));
    EXPECT_EQ(hub.closed(), 0);
  }
  EXPECT_TRUE(Await([&] { return hub.closed() == 1; }));
  EXPECT_TRUE(Await([&] { return server->stats().connections == 0; }));
  hub.Publish({"", "", "x"});
  EXPECT_EQ(hub.size(), 0);
}

TEST(StreamTest, TheServersEndIsAnEndAndTheConnectionGoesOn) {
  Hub hub;
  const auto server = MustStart(LocalOptions(), hub.handler());
  TestClient client = TestClient::Tcp(server->port());
  for (int i = 0; i < 3; ++i) {
    client.Send(Ask(*server, "GET /events"));
    ASSERT_TRUE(Await([&] { return server->stats().streams == 1; }));
    hub.Publish({"", "", "last words"});
    hub.End();
    EXPECT_EQ(client.Receive().body, "data: last words\n\n");
    ASSERT_TRUE(Await([&] { return hub.closed() == i + 1; }));
    hub.Publish({"", "", ""});
  }
}

// nginx speaks HTTP/1.0 to what is behind it, unless it is told otherwise.
TEST(StreamTest, AnHttp10ClientGetsTheStreamToItsEnd) {
  Hub hub;
  const auto server = MustStart(LocalOptions(), hub.handler());
  TestClient other = TestClient::Tcp(server->port());
  for (int i = 0; i < 3; ++i) {
    TestClient client = TestClient::Tcp(server->port());
    client.Send(absl::StrCat(
        "GET / HTTP/1.0\r\nHost: localhost:", server->port(), "\r\n\r\n"));
    ASSERT_TRUE(Await([&] { return server->stats().streams == 1; }));
    client.ReadUntil("\r\n\r\n");
    hub.Publish({"", "", "last words"});
    hub.End();
    EXPECT_EQ(client.ReadAll(), "data: last words\n\n");
    EXPECT_TRUE(Await([&] { return hub.closed() == i + 1; }));
    EXPECT_TRUE(Await([&] { return server->stats().connections == 1; }));
    hub.Publish({"", "", ""});
  }
}

TEST(StreamTest, HeadOfAStreamIsItsHeadersAlone) {
  Hub hub;
  const auto server = MustStart(LocalOptions(), hub.handler());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "HEAD /events"));
  EXPECT_EQ(client.Receive(true).headers.at("content-type"),
            "text/event-stream");
  client.Send(Ask(*server, "HEAD /events"));
  EXPECT_EQ(client.Receive(true).status, 200);
  EXPECT_EQ(hub.closed(), 2);
}

TEST(StreamTest, ThreeHundredStreamsHoldNoThreadLittleMemoryAndNoTime) {
  constexpr int kStreams = 300;
  FakeClock clock;
  Hub hub;
  HttpServerOptions options = LocalOptions();
  options.clock = &clock;
  options.max_connections_per_address = kStreams + 2;
  options.workers = 1;
  const auto server = MustStart(std::move(options), hub.handler());
  const size_t before = ResidentBytes();
  std::vector<TestClient> clients;
  for (int i = 0; i < kStreams; ++i) {
    clients.push_back(TestClient::Tcp(server->port()));
    clients.back().Send(Ask(*server, "GET /events"));
  }
  ASSERT_TRUE(Await([&] { return server->stats().streams == kStreams; }));
  for (TestClient& client : clients) client.ReadUntil("\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    hub.Publish({absl::StrCat(i), "", std::string(1000, 'x')});
    for (TestClient& client : clients) {
      EXPECT_THAT(client.ReadUntil("\n\n"), HasSubstr(absl::StrCat("id: ", i)));
    }
  }
  const size_t grown = ResidentBytes() - before;
  RecordProperty("bytes_per_stream", static_cast<int>(grown / kStreams));
  EXPECT_LT(grown, kStreams * kMostBytesAStream);

  // A quarter of an hour of silence: 60 heartbeats, a few turns each.
  ASSERT_TRUE(Await([&] {
    clock.AwaitWaiters(1);
    return true;
  }));
  const int turns = server->stats().turns;
  for (int i = 0; i < 60; ++i) {
    clock.Advance(absl::Seconds(15));
    for (TestClient& client : clients) client.ReadUntil(":\n\n");
  }
  RecordProperty("turns", server->stats().turns - turns);
  EXPECT_LT(server->stats().turns - turns, 60 * 20);
}

}  // namespace
}  // namespace sluice::http
