#include "sluice/service/http/client/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/executor/context.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/listener.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_certificates.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string UrlOf(const HttpServer& server, absl::string_view path = "/") {
  return absl::StrCat("http://127.0.0.1:", server.port(), path);
}

HttpCall Get(std::string url) {
  HttpCall call;
  call.url = std::move(url);
  return call;
}

// A server of one connection that says whatever it is told to, then closes.
class SaysThis {
 public:
  explicit SaysThis(std::string bytes) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) !=
            0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    auto thread = Thread::Start("says-this", [listener, text = bytes] {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      char asked[4096];
      if (fd >= 0 && recv(fd, asked, sizeof(asked), 0) > 0) {
        send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        while (recv(fd, asked, sizeof(asked), 0) > 0) {
        }
      }
      close(fd);
      close(listener);
    });
    if (!thread.ok()) std::abort();
    thread_ = *std::move(thread);
  }

  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_); }

 private:
  int port_ = 0;
  Thread thread_;
};

TEST(HttpClientTest, SendsWhatItIsToldAndNothingElse) {
  const auto server = MustStart(LocalOptions(), [](Request& request) {
    std::string seen = absl::StrCat(request.method, "\n");
    for (const auto& [name, value] : request.headers.fields()) {
      absl::StrAppend(&seen, name, "=", value, "\n");
    }
    return TextResponse(201, "text/plain", seen + request.body);
  });
  HttpCall call = Get(UrlOf(*server));
  call.method = "PATCH";
  call.headers.Add("Idempotency-Key", "a 1");
  call.headers.Add("X-Empty", "");
  call.body = std::string("{\0}", 3);
  const auto answer = HttpClient({}).Send(Context::Background(), call);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->headers.Find("content-type"), "text/plain");
  EXPECT_THAT(answer->body, HasSubstr("PATCH\n"));
  EXPECT_THAT(answer->body, HasSubstr("Idempotency-Key=a 1\nX-Empty=\n"));
  EXPECT_THAT(answer->body, ::testing::EndsWith(call.body));
  EXPECT_THAT(answer->body, Not(HasSubstr("Expect")));
  EXPECT_THAT(answer->body, Not(HasSubstr("Content-Type")));
}

TEST(HttpClientTest, ReachesAUnixSocket) {
  const TestFolder folder;
  HttpServerOptions options;
  options.unix_path = folder.File("s");
  const auto server = MustStart(std::move(options), Hello());
  HttpClientOptions client;
  client.unix_socket = folder.File("s");
  const auto answer =
      HttpClient(client).Send(Context::Background(), Get("http://localhost/"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "hello");
}

TEST(HttpClientTest, TrustsAnAuthorityThatItIsGivenAndNoOther) {
  const TestFolder folder;
  std::ofstream(folder.File("cert.pem")) << kTestCertificate1;
  std::ofstream(folder.File("key.pem")) << kTestKey1;
  HttpServerOptions options = LocalOptions();
  options.tls_certificate_file = folder.File("cert.pem");
  options.tls_key_file = folder.File("key.pem");
  const auto server = MustStart(std::move(options), Hello());
  const HttpCall call =
      Get(absl::StrCat("https://localhost:", server->port(), "/"));
  const auto unknown = HttpClient({}).Send(Context::Background(), call);
  EXPECT_EQ(ErrorCodeOf(unknown.status()), kHttpTlsFailed) << unknown.status();

  HttpClientOptions trusting;
  trusting.ca_file = folder.File("cert.pem");
  const auto known = HttpClient(trusting).Send(Context::Background(), call);
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_EQ(known->body, "hello");

  trusting.ca_file = folder.File("none.pem");
  const auto missing = HttpClient(trusting).Send(Context::Background(), call);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(HttpClientTest, FollowsNoRedirect) {
  const auto server = MustStart(LocalOptions(), [](Request&) {
    Response response = TextResponse(302, "text/plain", "");
    response.headers.Add("Location", "http://169.254.169.254/");
    return response;
  });
  const auto answer =
      HttpClient({}).Send(Context::Background(), Get(UrlOf(*server)));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 302);
}

TEST(HttpClientTest, AsksWhetherAnAddressIsAllowedAfterTheLookup) {
  const auto server = MustStart(LocalOptions(), Hello());
  HttpClientOptions options;
  options.allow_address = [](const sockaddr* address, socklen_t) {
    return address->sa_family == AF_INET
               ? absl::PermissionDeniedError("no loopback")
               : absl::OkStatus();
  };
  const auto answer =
      HttpClient(options).Send(Context::Background(), Get(UrlOf(*server)));
  EXPECT_EQ(ErrorCodeOf(answer.status()), kHttpAddressDenied);
  EXPECT_EQ(server->stats().requests, 0);
}

TEST(HttpClientTest, AnErrorTellsNothingOfAUrlButWhereItLeads) {
  // Port 9 of loopback: nobody listens.
  const auto answer = HttpClient({}).Send(
      Context::Background(),
      Get("http://user:s3cret@127.0.0.1:9/s3cret?key=s3cret#s3cret"));
  EXPECT_EQ(ErrorCodeOf(answer.status()), kHttpUnreachable);
  EXPECT_THAT(std::string(answer.status().message()),
              HasSubstr("http://127.0.0.1:9: "));
  EXPECT_THAT(std::string(answer.status().message()), Not(HasSubstr("s3cret")));
}

TEST(HttpClientTest, RefusesWhatIsNoRequest) {
  const auto send = [](const HttpCall& call) {
    return HttpClient({}).Send(Context::Background(), call).status().code();
  };
  EXPECT_EQ(send(Get("file:///etc/passwd")),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(send(Get("")), absl::StatusCode::kInvalidArgument);
  HttpCall smuggled = Get("http://127.0.0.1:9/");
  smuggled.headers.Add("X-A", "b\r\nX-C: d");
  EXPECT_EQ(send(smuggled), absl::StatusCode::kInvalidArgument);
  smuggled = Get("http://127.0.0.1:9/");
  smuggled.method = "GET / HTTP/1.1\r\nX-C: d";
  EXPECT_EQ(send(smuggled), absl::StatusCode::kInvalidArgument);
}

TEST(HttpClientTest, AnAnswerOverTheLimitIsAnErrorNotAPart) {
  const auto server = MustStart(LocalOptions(), [](Request&) {
    return TextResponse(200, "text/plain", std::string(1001, 'x'));
  });
  HttpClientOptions options;
  options.max_body_bytes = 1000;
  const auto answer =
      HttpClient(options).Send(Context::Background(), Get(UrlOf(*server)));
  EXPECT_EQ(ErrorCodeOf(answer.status()), kHttpAnswerTooLarge);
}

TEST(HttpClientTest, AnAnswerThatIsCutOffIsAnError) {
  for (const char* half :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 2",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
        "not HTTP at all\r\n\r\n", ""}) {
    const SaysThis server(half);
    const auto answer =
        HttpClient({}).Send(Context::Background(), Get(server.url()));
    EXPECT_EQ(ErrorCodeOf(answer.status()), kHttpUnreachable) << half;
  }
}

TEST(HttpClientTest, AServerThatNeverAnswersCostsTheTimeoutOrUntilACancel) {
  const auto server = MustStart(LocalOptions(), [](Request&) {
    return EventStreamResponse(std::make_shared<ResponseStream>());
  });
  HttpClientOptions hasty;
  hasty.timeout = absl::Milliseconds(1);
  EXPECT_EQ(ErrorCodeOf(HttpClient(hasty)
                            .Send(Context::Background(), Get(UrlOf(*server)))
                            .status()),
            kHttpUnreachable);

  auto [context, cancel] = Context::WithCancel(Context::Background());
  auto other = Thread::Start("cancel", [&, end = cancel] {
    Await([&] { return server->stats().requests > 1; });
    end(absl::CancelledError("a person"));
  });
  ASSERT_TRUE(other.ok());
  HttpClientOptions patient;
  patient.timeout = absl::InfiniteDuration();
  EXPECT_EQ(HttpClient(patient).Send(context, Get(UrlOf(*server))).status(),
            absl::CancelledError("a person"));
}

TEST(HttpClientTest, AStreamIsTakenAsItComesUntilItsReaderHasEnough) {
  const auto stream = std::make_shared<ResponseStream>();
  const auto server = MustStart(LocalOptions(), [stream](Request&) {
    Event event;
    event.data = "first";
    stream->Send(event);
    return EventStreamResponse(stream);
  });
  std::string seen;
  const auto ended = HttpClient({}).Stream(
      Context::Background(), Get(UrlOf(*server)), [&](absl::string_view bytes) {
        absl::StrAppend(&seen, bytes);
        return seen.find("first") == std::string::npos
                   ? absl::OkStatus()
                   : absl::AbortedError("enough");
      });
  EXPECT_EQ(ended.status(), absl::AbortedError("enough"));
}

TEST(HttpClientTest, WhatIsNoStreamIsKeptAsAnAnswer) {
  const auto server = MustStart(LocalOptions(), [](Request&) {
    return TextResponse(404, "application/problem+json", "{}");
  });
  const auto answer = HttpClient({}).Stream(
      Context::Background(), Get(UrlOf(*server)),
      [](absl::string_view) { return absl::InternalError("never called"); });
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "{}");
}

}  // namespace
}  // namespace sluice::http
