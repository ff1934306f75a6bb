#ifndef SLUICE_CLI_REMOTE_SSE_READER_H_
#define SLUICE_CLI_REMOTE_SSE_READER_H_

// Server-sent events out of bytes as they come, in pieces of any size.
//
// Example:
//
//   SseReader reader;
//   SLUICE_RETURN_IF_ERROR(reader.Take(bytes, [](const SseEvent& event) {
//     return event.type == "job" ? Show(event.data) : absl::OkStatus();
//   }));
//
// What is no field, comments and ids are passed over: who comes back to the
// stream of a job is told anew how it stands. One thread. Keeps one event of 1 MiB at most: server_answer_invalid beyond.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice::cli {

struct SseEvent {
  std::string type;  // "message" where none was said
  std::string data;
};

class SseReader {
 public:
  static constexpr size_t kMaxEventBytes = size_t{1} << 20;

  using OnEvent = std::function<absl::Status(const SseEvent&)>;

  // The first error stays, also one of `on_event`.
  absl::Status Take(absl::string_view bytes, const OnEvent& on_event);

 private:
  absl::Status TakeLine(absl::string_view line, const OnEvent& on_event);

  std::string line_;
  bool after_return_ = false;
  SseEvent event_;
  bool has_data_ = false;
  absl::Status status_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_SSE_READER_H_
