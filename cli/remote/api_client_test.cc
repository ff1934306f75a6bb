#include "sluice/cli/remote/api_client.h"

#include <sched.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/service/http/message/problem.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_certificates.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Context kContext = Context::Background();

ApiClientOptions Quick() {
  ApiClientOptions options;
  options.first_wait = absl::Milliseconds(1);
  options.timeout = absl::Seconds(30);
  return options;
}

ApiClient ClientOf(const http::HttpServer& server,
                   ApiClientOptions options = Quick()) {
  const auto address =
      ParseServer(absl::StrCat("http://127.0.0.1:", server.port()));
  EXPECT_TRUE(address.ok()) << address.status();
  return ApiClient(*address, "sluice_canary", std::move(options));
}

http::Response JsonAnswer(int status, absl::string_view text) {
  return http::TextResponse(status, "application/json", text);
}

std::unique_ptr<http::HttpServer> Saying(http::Response response) {
  return http::MustStart(http::LocalOptions(),
                         [response](http::Request&) { return response; });
}

TEST(ApiClientTest, AProblemIsTheErrorThatItWouldBeHere) {
  const auto server = Saying(http::ProblemResponse(
      WithHint(MakeError(absl::StatusCode::kNotFound, "plan_not_found",
                         "there is no plan x"),
               "did you mean y?")));
  const auto answer = ClientOf(*server).Get(kContext, "/plans/x");
  EXPECT_EQ(ErrorCodeOf(answer.status()), "plan_not_found");
  EXPECT_EQ(answer.status().message(), "there is no plan x");
  EXPECT_EQ(HintOf(answer.status()), "did you mean y?");
  EXPECT_EQ(ExitCodeOf(answer.status()), ExitCode::kNotFound);
}

TEST(ApiClientTest, NoTokenAndAWrongRoleAreToldApart) {
  const auto nobody =
      Saying(http::ProblemResponse(401, http::kUnauthenticated, "nobody"));
  const auto who = ClientOf(*nobody).Get(kContext, "/plans");
  EXPECT_EQ(ErrorCodeOf(who.status()), "unauthenticated");
  EXPECT_THAT(HintOf(who.status()), HasSubstr("--token"));
  EXPECT_EQ(ExitCodeOf(who.status()), ExitCode::kPermission);
  const auto viewer = Saying(http::ProblemResponse(
      403, http::kForbidden, "the role viewer may not", "it needs operator"));
  const auto what = ClientOf(*viewer).Get(kContext, "/plans");
  EXPECT_EQ(ErrorCodeOf(what.status()), "forbidden");
  EXPECT_EQ(HintOf(what.status()), "it needs operator");
  EXPECT_EQ(ExitCodeOf(what.status()), ExitCode::kPermission);
}

TEST(ApiClientTest, WhatIsNoneOfOurAnswersIsNoSuccess) {
  const std::vector<http::Response> wrong = {
      http::TextResponse(200, "text/html", "<html>Welcome to nginx</html>"),
      http::TextResponse(502, "text/html", "<html>Bad Gateway</html>"),
      JsonAnswer(200, ""),
      JsonAnswer(200, "[]"),
      JsonAnswer(200, R"({"jobs": [)"),
      JsonAnswer(200, "{\"a\": \"\xff\"}"),
      JsonAnswer(404, R"({"error": "no"})"),
      JsonAnswer(500, R"({"code": "Not A Word", "detail": "x"})"),
      JsonAnswer(200, std::string(100, '[') + std::string(100, ']'))};
  for (const http::Response& response : wrong) {
    const auto server = Saying(response);
    const auto answer = ClientOf(*server).Get(kContext, "/jobs");
    EXPECT_EQ(ErrorCodeOf(answer.status()), kServerAnswerInvalid)
        << response.status << " " << response.body;
  }
}

TEST(ApiClientTest, AProxysPageIsToldAsOne) {
  const auto server =
      Saying(http::TextResponse(502, "text/html", "<html>Bad Gateway</html>"));
  const auto answer = ClientOf(*server).Get(kContext, "/jobs");
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("502"));
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("a proxy"));
  EXPECT_THAT(HintOf(answer.status()), HasSubstr("--server"));
}

TEST(ApiClientTest, ARedirectGetsNeitherAnotherRequestNorTheToken) {
  std::atomic<int> asked = 0;
  const auto other = http::MustStart(http::LocalOptions(), [&](http::Request&) {
    ++asked;
    return JsonAnswer(200, "{}");
  });
  http::Response away = http::TextResponse(307, "text/plain", "");
  away.headers.Set("Location",
                   absl::StrCat("http://127.0.0.1:", other->port(), "/x"));
  const auto server = Saying(away);
  const auto answer = ClientOf(*server).Get(kContext, "/jobs");
  EXPECT_EQ(ErrorCodeOf(answer.status()), kServerAnswerInvalid);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("redirect"));
  EXPECT_EQ(asked, 0);
}

TEST(ApiClientTest, WhatMakesAJobIsAskedAgainWithTheSameKey) {
  Mutex mutex;
  std::vector<std::string> keys;
  const auto server =
      http::MustStart(http::LocalOptions(), [&](http::Request& request) {
        MutexLock lock(mutex);
        keys.emplace_back(request.headers.Find("Idempotency-Key").value_or(""));
        return keys.size() < 3
                   ? http::ProblemResponse(503, "overloaded", "busy")
                   : JsonAnswer(202, R"({"jobs": []})");
      });
  const auto answer =
      ClientOf(*server).Queue(kContext, "/backups", {{"plan", "p"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  MutexLock lock(mutex);
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_NE(keys[0], "");
  EXPECT_EQ(keys[0], keys[1]);
  EXPECT_EQ(keys[0], keys[2]);
}

TEST(ApiClientTest, TwoWishesHaveTwoKeys) {
  Mutex mutex;
  std::vector<std::string> keys;
  const auto server =
      http::MustStart(http::LocalOptions(), [&](http::Request& request) {
        MutexLock lock(mutex);
        keys.emplace_back(request.headers.Find("Idempotency-Key").value_or(""));
        return JsonAnswer(202, "{}");
      });
  const ApiClient client = ClientOf(*server);
  ASSERT_TRUE(client.Queue(kContext, "/backups", {{"plan", "p"}}).ok());
  ASSERT_TRUE(client.Queue(kContext, "/backups", {{"plan", "p"}}).ok());
  MutexLock lock(mutex);
  EXPECT_NE(keys[0], keys[1]);
}

TEST(ApiClientTest, WhatChangesSomethingIsAskedOnce) {
  std::atomic<int> asked = 0;
  const auto server =
      http::MustStart(http::LocalOptions(), [&](http::Request&) {
        ++asked;
        return http::ProblemResponse(503, "overloaded", "busy");
      });
  EXPECT_FALSE(
      ClientOf(*server).Change(kContext, "DELETE", "/backups/x", nullptr).ok());
  EXPECT_EQ(asked, 1);
}

TEST(ApiClientTest, AJobThatWasOnlySaidToBeMadeIsNone) {
  const auto server = Saying(JsonAnswer(200, R"({"jobs": []})"));
  EXPECT_EQ(ErrorCodeOf(ClientOf(*server)
                            .Queue(kContext, "/backups", {{"plan", "p"}})
                            .status()),
            kServerAnswerInvalid);
}

TEST(ApiClientTest, AServerThatIsAwayIsToldWithItsAddressAndNoToken) {
  int port = 0;
  {
    const auto server = Saying(JsonAnswer(200, "{}"));
    port = server->port();
  }
  const auto address = ParseServer(absl::StrCat("http://127.0.0.1:", port));
  const auto answer =
      ApiClient(*address, "sluice_canary", Quick()).Get(kContext, "/jobs");
  EXPECT_EQ(ErrorCodeOf(answer.status()), kServerUnreachable);
  EXPECT_EQ(ExitCodeOf(answer.status()), ExitCode::kUnreachable);
  EXPECT_THAT(answer.status().ToString(), HasSubstr(absl::StrCat(port)));
  EXPECT_THAT(answer.status().ToString(), Not(HasSubstr("canary")));
}

TEST(ApiClientTest, ASocketThatIsNotThereIsToldAsASocket) {
  const auto address = ParseServer("unix:/not/there/api.sock");
  const auto answer = ApiClient(*address, "", Quick()).Get(kContext, "/jobs");
  EXPECT_EQ(ErrorCodeOf(answer.status()), kServerUnreachable);
  EXPECT_EQ(answer.status().message(),
            "server unix:/not/there/api.sock: there is no such socket");
}

TEST(ApiClientTest, AServerThatNeverAnswersIsGivenUp) {
  const auto server =
      http::MustStart(http::LocalOptions(), [](http::Request& request) {
        while (!request.cancelled()) sched_yield();
        return JsonAnswer(200, "{}");
      });
  ApiClientOptions options = Quick();
  options.timeout = absl::Milliseconds(100);
  options.tries = 2;
  const auto answer =
      ClientOf(*server, options).Queue(kContext, "/backups", {{"plan", "p"}});
  EXPECT_EQ(ErrorCodeOf(answer.status()), kServerUnreachable);
  EXPECT_THAT(HintOf(answer.status()), HasSubstr("not known"));
}

TEST(ApiClientTest, AnUnknownCertificateIsRefusedWithAHint) {
  http::HttpServerOptions tls = http::LocalOptions();
  tls.tls_certificate_file = ::testing::TempDir() + "/certificate.pem";
  tls.tls_key_file = ::testing::TempDir() + "/key.pem";
  std::ofstream(tls.tls_certificate_file) << http::kTestCertificate1;
  std::ofstream(tls.tls_key_file) << http::kTestKey1;
  std::atomic<int> asked = 0;
  const auto server = http::MustStart(tls, [&](http::Request&) {
    ++asked;
    return JsonAnswer(200, "{}");
  });
  const auto address =
      ParseServer(absl::StrCat("https://localhost:", server->port()));
  const auto answer =
      ApiClient(*address, "sluice_canary", Quick()).Get(kContext, "/jobs");
  EXPECT_EQ(ErrorCodeOf(answer.status()), kServerUntrusted);
  EXPECT_THAT(HintOf(answer.status()), HasSubstr("--ca"));
  EXPECT_EQ(asked, 0);
  ApiClientOptions known = Quick();
  known.ca_file = tls.tls_certificate_file;
  const auto trusted =
      ApiClient(*address, "sluice_canary", known).Get(kContext, "/jobs");
  EXPECT_TRUE(trusted.ok()) << trusted.status();
}

TEST(ApiClientTest, AListIsReadToItsEnd) {
  const auto server =
      http::MustStart(http::LocalOptions(), [](http::Request& request) {
        const std::string cursor = request.query.Find("cursor").value_or("");
        return cursor.empty()
                   ? JsonAnswer(
                         200,
                         R"({"repos": [{"id": "a"}], "next_cursor": "x=+"})")
                   : JsonAnswer(200,
                                absl::StrCat(R"({"repos": [{"id": ")", cursor,
                                             R"("}], "next_cursor": null})"));
      });
  const auto repos =
      ClientOf(*server).List(kContext, "/repos?limit=1", "repos", &ReadRepo);
  ASSERT_TRUE(repos.ok()) << repos.status();
  ASSERT_EQ(repos->size(), 2u);
  EXPECT_EQ(repos->at(1).id(), "x=+");
}

TEST(ApiClientTest, AListThatNeverEndsIsRefused) {
  const auto server = Saying(
      JsonAnswer(200, R"({"repos": [{"id": "a"}], "next_cursor": "same"})"));
  const auto repos =
      ClientOf(*server).List(kContext, "/repos", "repos", &ReadRepo);
  EXPECT_EQ(ErrorCodeOf(repos.status()), kServerAnswerInvalid);
}

TEST(ApiClientTest, AHugeAnswerIsRefused) {
  const auto server = Saying(JsonAnswer(
      200, absl::StrCat(R"({"a": ")", std::string(20 << 20, 'x'), "\"}")));
  EXPECT_EQ(ErrorCodeOf(ClientOf(*server).Get(kContext, "/jobs").status()),
            kServerAnswerInvalid);
}

TEST(ApiClientTest, PathsHoldWhateverANameHolds) {
  EXPECT_EQ(UrlEscape("a/b ?\xc3\xa4"), "a%2Fb%20%3F%C3%A4");
  EXPECT_EQ(WithQuery("/jobs", {{"status", ""}, {"plan", "a&b"}, {"x", "1"}}),
            "/jobs?plan=a%26b&x=1");
}

}  // namespace
}  // namespace sluice::cli
