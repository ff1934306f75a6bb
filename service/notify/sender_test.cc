#include "sluice/service/notify/sender.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_certificates.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Signed with the key "key"; from Python's hmac, not from ours.
constexpr char kKnownSignature[] =
    "v1,Lty9zgin4VxXZKJxb7rLovFre7mvB1rHiDW0+XPF13U=";

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() {
    message_.id = "01J9";
    message_.event = "failed";
    message_.subject = "nightly: backup failed";
    message_.plans = "nightly";
    message_.body = R"({"type":"backup.failed"})";
    channel_.name = "ops";
  }

  void Serve(http::Handler handler,
             http::HttpServerOptions options = http::LocalOptions()) {
    server_ = http::MustStart(std::move(options), std::move(handler));
    channel_.webhook_url = absl::StrCat("http://127.0.0.1:", server_->port(),
                                        "/T0/canary?k=canary");
  }

  absl::Status SendNow() {
    const absl::Status sent = Send(Context::Background(), channel_, message_,
                                   absl::FromUnixSeconds(1'700'000'000));
    EXPECT_THAT(std::string(sent.message()), Not(HasSubstr("canary")));
    return sent;
  }

  NotifyChannel channel_;
  Outgoing message_;
  std::unique_ptr<http::HttpServer> server_;
};

TEST_F(SenderTest, AReceiverCanTellThatItIsFromUs) {
  setenv("SLUICE_TEST_HOOK_KEY", "key\n", 1);
  channel_.secret = "env:SLUICE_TEST_HOOK_KEY";
  http::Request seen;
  Serve([&](http::Request& request) {
    seen = request;
    return http::TextResponse(204, "text/plain", "");
  });
  EXPECT_TRUE(SendNow().ok());
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.body, message_.body);
  EXPECT_EQ(seen.headers.Find("webhook-id"), "01J9");
  EXPECT_EQ(seen.headers.Find("webhook-timestamp"), "1700000000");
  EXPECT_EQ(seen.headers.Find("webhook-signature"), kKnownSignature);
  EXPECT_EQ(seen.headers.Find("content-type"), "application/json");
}

TEST_F(SenderTest, ASignatureIsThatOfTheStandardsOwnExample) {
  const auto signature = WebhookSignature(
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
      1614265330, R"({"test": 2432232314})");
  ASSERT_TRUE(signature.ok()) << signature.status();
  EXPECT_EQ(*signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_FALSE(WebhookSignature("whsec_%", "a", 1, "b").ok());
  EXPECT_FALSE(WebhookSignature("", "a", 1, "b").ok());
}

TEST_F(SenderTest, AnyOther200IsSuccessAndNothingElse) {
  std::atomic<int> status = 200;
  Serve([&](http::Request&) {
    return http::TextResponse(status, "text/plain", "canary");
  });
  for (const int good : {200, 201, 202, 204}) {
    status = good;
    EXPECT_TRUE(SendNow().ok()) << good;
  }
  for (const int bad : {301, 400, 404, 410, 429, 500, 503}) {
    status = bad;
    EXPECT_THAT(std::string(SendNow().message()),
                HasSubstr(absl::StrCat("answered ", bad)));
  }
}

TEST_F(SenderTest, ARedirectIsNotFollowed) {
  std::atomic<int> elsewhere = 0;
  Serve([&](http::Request& request) {
    if (request.path.at(0) == "elsewhere") ++elsewhere;
    http::Response response = http::TextResponse(307, "text/plain", "");
    response.headers.Set("Location", "/elsewhere");
    return response;
  });
  EXPECT_THAT(std::string(SendNow().message()), HasSubstr("redirects"));
  EXPECT_EQ(elsewhere, 0);
}

TEST_F(SenderTest, AnAnswerWithoutEndIsReadToABoundAndTaken) {
  Serve([](http::Request&) {
    return http::TextResponse(200, "text/plain", std::string(5'000'000, 'x'));
  });
  EXPECT_TRUE(SendNow().ok());
}

TEST_F(SenderTest, ARefusalWithoutEndIsReadToABoundAndNotTaken) {
  Serve([](http::Request&) {
    return http::TextResponse(500, "text/plain", std::string(5'000'000, 'x'));
  });
  EXPECT_FALSE(SendNow().ok());
}

TEST_F(SenderTest, NobodyThereIsAnErrorWithoutTheUrlsPath) {
  channel_.webhook_url = "http://127.0.0.1:1/canary";
  EXPECT_FALSE(SendNow().ok());
}

TEST_F(SenderTest, AStopEndsAWaitForOneWhoNeverAnswers) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  Serve([cancel = cancel](http::Request& request) {
    cancel(absl::AbortedError("the service was stopped"));
    while (!request.cancelled()) sched_yield();
    return http::TextResponse(200, "text/plain", "");
  });
  EXPECT_FALSE(Send(context, channel_, message_, absl::UnixEpoch()).ok());
}

TEST_F(SenderTest, ACertificateNobodySignedIsRefusedUnlessItIsNamed) {
  const http::TestFolder folder;
  const std::string certificate = folder.File("cert.pem");
  const std::string key = folder.File("key.pem");
  std::ofstream(certificate) << http::kTestCertificate1;
  std::ofstream(key) << http::kTestKey1;
  http::HttpServerOptions options = http::LocalOptions();
  options.tls_certificate_file = certificate;
  options.tls_key_file = key;
  Serve(http::Hello(), options);
  channel_.webhook_url =
      absl::StrCat("https://localhost:", server_->port(), "/");
  EXPECT_FALSE(SendNow().ok());
  channel_.ca_file = certificate;
  const absl::Status sent = SendNow();
  EXPECT_TRUE(sent.ok()) << sent;
}

TEST_F(SenderTest, LinkLocalAddressesAreRefusedAfterTheLookup) {
  channel_.webhook_url = "http://[::ffff:169.254.169.254]/canary";
  EXPECT_THAT(std::string(SendNow().message()), HasSubstr("link-local"));
}

TEST_F(SenderTest, AProgramGetsTheEventOnItsInputAndInItsEnvironment) {
  const http::TestFolder folder;
  channel_.exec = {"/bin/sh", "-c",
                   absl::StrCat("{ cat; env; } > ", folder.File("seen"))};
  ASSERT_TRUE(SendNow().ok());
  std::ifstream file(folder.File("seen"));
  const std::string seen((std::istreambuf_iterator<char>(file)),
                         std::istreambuf_iterator<char>());
  EXPECT_THAT(seen, HasSubstr(message_.body));
  EXPECT_THAT(seen, HasSubstr("SLUICE_EVENT=failed\n"));
  EXPECT_THAT(seen, HasSubstr("SLUICE_EVENT_ID=01J9\n"));
  EXPECT_THAT(seen, HasSubstr("SLUICE_PLANS=nightly\n"));
}

TEST_F(SenderTest, AProgramsFailureIsToldWithWhatItWrote) {
  channel_.exec = {"/bin/sh", "-c", "echo no modem; exit 4"};
  EXPECT_THAT(std::string(SendNow().message()),
              HasSubstr("exit status 4: no modem"));
}

TEST_F(SenderTest, AHeartbeatIsAGetOfWhatTheReferenceNames) {
  http::Request seen;
  Serve([&](http::Request& request) {
    seen = request;
    return http::TextResponse(200, "text/plain", "OK");
  });
  setenv("SLUICE_TEST_PING", absl::StrCat(channel_.webhook_url, "\n").c_str(),
         1);
  const absl::Status sent =
      SendHeartbeat(Context::Background(), "env:SLUICE_TEST_PING");
  EXPECT_TRUE(sent.ok()) << sent;
  EXPECT_EQ(seen.method, "GET");
  EXPECT_FALSE(SendHeartbeat(Context::Background(), "env:SLUICE_NO_SUCH").ok());
}

}  // namespace
}  // namespace sluice::service
