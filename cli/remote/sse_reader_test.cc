#include "sluice/cli/remote/sse_reader.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

// "type=data" of each event.
std::vector<std::string> Read(const std::vector<std::string>& pieces) {
  std::vector<std::string> events;
  SseReader reader;
  for (const std::string& piece : pieces) {
    const absl::Status taken = reader.Take(piece, [&](const SseEvent& event) {
      events.push_back(event.type + "=" + event.data);
      return absl::OkStatus();
    });
    EXPECT_TRUE(taken.ok()) << taken;
  }
  return events;
}

TEST(SseReaderTest, ReadsEventsHoweverTheyAreCut) {
  const std::string text =
      ": heartbeat\r\n\r\nevent: job\r\nid: 7\r\ndata: {\"a\":1}\r\n\r\n"
      "data:x\ndata: y\n\nevent: none\n\nretry: 5\nfoo\ndata\n\n";
  const std::vector<std::string> wanted = {"job={\"a\":1}", "message=x\ny",
                                           "message="};
  EXPECT_EQ(Read({text}), wanted);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Read({text.substr(0, cut), text.substr(cut)}), wanted) << cut;
  }
  std::vector<std::string> bytes;
  for (const char byte : text) bytes.emplace_back(1, byte);
  EXPECT_EQ(Read(bytes), wanted);
}

TEST(SseReaderTest, AnEventThatDoesNotEndIsNoEvent) {
  EXPECT_TRUE(Read({"event: job\ndata: {}\n"}).empty());
}

TEST(SseReaderTest, AnEventWithoutEndFillsNoMemory) {
  SseReader reader;
  absl::Status status;
  for (int i = 0; i < 3 && status.ok(); ++i) {
    status = reader.Take(
        "data: " + std::string(SseReader::kMaxEventBytes / 2, 'x') + "\n",
        [](const SseEvent&) { return absl::OkStatus(); });
  }
  EXPECT_EQ(ErrorCodeOf(status), kServerAnswerInvalid);
}

}  // namespace
}  // namespace sluice::cli
