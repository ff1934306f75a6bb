// TLS, and certificates that are renewed.

#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_certificates.h"
#include "sluice/service/http/server/testing/test_client.h"
#include "sluice/service/http/server/testing/test_tls_client.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() { Write(kTestCertificate1, kTestKey1); }

  void Write(absl::string_view certificate, absl::string_view key) {
    std::ofstream(folder_.File("cert.pem")) << certificate;
    std::ofstream(folder_.File("key.pem")) << key;
  }
  HttpServerOptions Options() {
    HttpServerOptions options = LocalOptions();
    options.tls_certificate_file = folder_.File("cert.pem");
    options.tls_key_file = folder_.File("key.pem");
    return options;
  }

  TestFolder folder_;
};

Handler SaysWhetherTls() {
  return [](Request& request) {
    return TextResponse(200, "text/plain", request.is_tls ? "tls" : "plain");
  };
}

TEST_F(TlsTest, SpeaksTls12And13AndNothingOlder) {
  const auto server = MustStart(Options(), SaysWhetherTls());
  for (const char* version : {"1.2", "1.3"}) {
    TestTlsClient client(server->port(),
                         absl::StrCat("NORMAL:-VERS-ALL:+VERS-TLS", version));
    ASSERT_TRUE(client.connected()) << version;
    EXPECT_EQ(client.subject(), "CN=sluice-test-1");
    client.Send(Ask(*server, "GET /"));
    EXPECT_THAT(client.ReadUntil("tls"), HasSubstr("HTTP/1.1 200"));
  }
  const TestTlsClient old(server->port(),
                          "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT");
  EXPECT_FALSE(old.connected());
}

TEST_F(TlsTest, WhoSpeaksPlainGetsNoAnswer) {
  const auto server = MustStart(Options(), SaysWhetherTls());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /"));
  EXPECT_THAT(client.ReadAll(), ::testing::Not(HasSubstr("200")));
}

TEST_F(TlsTest, TheUnixSocketBesideItIsPlain) {
  HttpServerOptions options = Options();
  options.unix_path = folder_.File("s");
  const auto server = MustStart(std::move(options), SaysWhetherTls());
  TestClient client = TestClient::Unix(folder_.File("s"));
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Receive().body, "plain");
  EXPECT_TRUE(TestTlsClient(server->port(), "NORMAL").connected());
}

// synapse#1180, 389-ds-base#6951.
TEST_F(TlsTest, ARenewedCertificateIsServedWithoutARestart) {
  const auto server = MustStart(Options(), SaysWhetherTls());
  TestTlsClient before(server->port(), "NORMAL");
  before.Send(Ask(*server, "GET /"));
  before.ReadUntil("tls");
  Write(kTestCertificate2, kTestKey2);
  ASSERT_TRUE(server->Reload().ok());
  // The loop takes it in its own time.
  EXPECT_TRUE(Await([&] {
    return TestTlsClient(server->port(), "NORMAL").subject() ==
           "CN=sluice-test-2";
  }));
  before.Send(Ask(*server, "GET /"));
  EXPECT_THAT(before.ReadUntil("tls"), HasSubstr("HTTP/1.1 200"));
}

TEST_F(TlsTest, ACertificateThatIsNoneChangesNothing) {
  const auto server = MustStart(Options(), SaysWhetherTls());
  const auto reload = [&](absl::string_view certificate,
                          absl::string_view key) {
    Write(certificate, key);
    return server->Reload();
  };
  EXPECT_FALSE(reload("", kTestKey1).ok());
  EXPECT_FALSE(reload("half a certif", kTestKey1).ok());
  EXPECT_THAT(std::string(reload(kTestCertificate2, kTestKey1).message()),
              HasSubstr("TLS"));
  EXPECT_EQ(TestTlsClient(server->port(), "NORMAL").subject(),
            "CN=sluice-test-1");
  EXPECT_FALSE(HttpServer::Start(Options(), SaysWhetherTls()).ok());
}

TEST_F(TlsTest, AHandshakeThatStopsHalfWayEndsAtTheDeadline) {
  FakeClock clock;
  HttpServerOptions options = Options();
  options.clock = &clock;
  const auto server = MustStart(std::move(options), SaysWhetherTls());
  TestClient client = TestClient::Tcp(server->port());
  client.Send("\x16\x03\x01");
  ASSERT_TRUE(Await([&] { return server->stats().connections == 1; }));
  EXPECT_TRUE(Await([&] {
    clock.Advance(absl::Seconds(1));
    return server->stats().connections == 0;
  }));
}

TEST_F(TlsTest, StreamsAndStopWorkAsWithoutIt) {
  std::shared_ptr<ResponseStream> stream = std::make_shared<ResponseStream>();
  const auto server = MustStart(
      Options(), [&](Request&) { return EventStreamResponse(stream); });
  TestTlsClient client(server->port(), "NORMAL");
  client.Send(Ask(*server, "GET /events"));
  client.ReadUntil("\r\n\r\n");
  for (int i = 0; i < 20; ++i) {
    stream->Send({absl::StrCat(i), "", "x"});
    EXPECT_THAT(client.ReadUntil("\n\n"), HasSubstr(absl::StrCat("id: ", i)));
  }
  server->Stop(absl::Minutes(10));
  EXPECT_THAT(client.ReadUntil("never"), HasSubstr("0\r\n"));
}

}  // namespace
}  // namespace sluice::http
