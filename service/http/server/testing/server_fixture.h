#ifndef SLUICE_SERVICE_HTTP_SERVER_TESTING_SERVER_FIXTURE_H_
#define SLUICE_SERVICE_HTTP_SERVER_TESTING_SERVER_FIXTURE_H_

// What the tests of a server begin with.

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "sluice/service/http/message/response.h"
#include "sluice/service/http/server/http_server.h"

namespace sluice::http {

// On 127.0.0.1, at a port that it picks.
inline HttpServerOptions LocalOptions() {
  HttpServerOptions options;
  options.tcp = TcpEndpoint{};
  return options;
}

inline Handler Hello() {
  return [](Request&) { return TextResponse(200, "text/plain", "hello"); };
}

inline std::unique_ptr<HttpServer> MustStart(HttpServerOptions options,
                                             Handler handler) {
  auto server = HttpServer::Start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status();
  if (!server.ok()) std::abort();
  return *std::move(server);
}

// A request as text; `headers` are whole lines.
inline std::string Ask(const HttpServer& server, absl::string_view line,
                       absl::string_view headers = "",
                       absl::string_view body = "") {
  return absl::StrCat(
      line, " HTTP/1.1\r\nHost: localhost:", server.port(), "\r\n", headers,
      body.empty() ? "" : absl::StrCat("Content-Length: ", body.size(), "\r\n"),
      "\r\n", body);
}

// Gives way until `condition` holds; a minute at most.
template <typename Condition>
bool Await(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    sched_yield();
  }
  return true;
}

// A folder that goes with it. Its path is short: a unix socket's has 107 bytes.
class TestFolder {
 public:
  TestFolder() {
    char name[] = "/tmp/sluice-http-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TestFolder() {
    // Of a test's own few files.
    if (std::system(absl::StrCat("rm -rf ", path_).c_str()) != 0) std::abort();
  }
  TestFolder(const TestFolder&) = delete;

  std::string File(absl::string_view name) const {
    return absl::StrCat(path_, "/", name);
  }

 private:
  std::string path_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_TESTING_SERVER_FIXTURE_H_
