#include "sluice/cli/serve/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A console whose reader is this test.
class AccessLogTest : public ::testing::Test {
 protected:
  AccessLogTest() {
    EXPECT_EQ(pipe2(pipe_, O_CLOEXEC), 0);
    ConsoleOptions options;
    options.note_fd = pipe_[1];
    console_ = std::make_unique<Console>(options, Clock::Real());
    log_ = *AccessLog::Start(console_.get());
  }
  ~AccessLogTest() override {
    // What is still to be written has no reader any more.
    signal(SIGPIPE, SIG_IGN);
    close(pipe_[0]);
    log_.reset();
    close(pipe_[1]);
  }

  // Until `text` has been said.
  std::string ReadUntil(absl::string_view text) {
    std::string said;
    char buffer[4096];
    while (!absl::StrContains(said, text)) {
      const ssize_t got = read(pipe_[0], buffer, sizeof(buffer));
      if (got <= 0) break;
      said.append(buffer, static_cast<size_t>(got));
    }
    return said;
  }

  static http::AccessRecord Record(std::string route, int status = 200) {
    http::AccessRecord record;
    record.method = "GET";
    record.route = std::move(route);
    record.status = status;
    record.body_bytes = 10;
    record.duration = absl::Milliseconds(7);
    return record;
  }

  int pipe_[2];
  std::unique_ptr<Console> console_;
  std::unique_ptr<AccessLog> log_;
};

TEST_F(AccessLogTest, ARequestIsALineAndAGoodProbeNone) {
  for (const char* probe : {"/healthz", "/readyz", "/metrics"}) {
    log_->Add(Record(probe));
  }
  log_->Add(Record("/readyz", 503));
  log_->Add(Record("/api/v1/plans/{name}", 404));
  const std::string said = ReadUntil("404");
  EXPECT_THAT(said, HasSubstr("route=/api/v1/plans/{name} status=404"));
  EXPECT_THAT(said, HasSubstr("method=GET"));
  EXPECT_THAT(said, HasSubstr("ms=7"));
  EXPECT_THAT(said, HasSubstr("route=/readyz status=503"));
  EXPECT_THAT(said, Not(HasSubstr("status=200")));
}

TEST_F(AccessLogTest, AReaderThatDoesNotReadHoldsNobodyAndTheLossIsTold) {
  // More than fits into the pipe and into what waits.
  constexpr int kMany = 20000;
  for (int i = 0; i < kMany; ++i) log_->Add(Record("/api/v1/jobs"));
  const std::string said = ReadUntil("requests not logged");
  EXPECT_THAT(said, HasSubstr("requests not logged"));
  EXPECT_LT(std::count(said.begin(), said.end(), '\n'), kMany);
}

}  // namespace
}  // namespace sluice::cli
