#include "sluice/cli/remote/sse_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/model_reader.h"

namespace sluice::cli {

absl::Status SseReader::Take(absl::string_view bytes, const OnEvent& on_event) {
  for (const char byte : bytes) {
    if (!status_.ok()) break;
    // "\n", "\r" and "\r\n" end a line.
    if (byte == '\n' && std::exchange(after_return_, false)) continue;
    after_return_ = byte == '\r';
    if (byte == '\n' || byte == '\r') {
      status_ = TakeLine(line_, on_event);
      line_.clear();
    } else if (line_.size() + event_.data.size() >= kMaxEventBytes) {
      status_ = AnswerError("an event of more than 1 MiB");
    } else {
      line_.push_back(byte);
    }
  }
  return status_;
}

absl::Status SseReader::TakeLine(absl::string_view line,
                                 const OnEvent& on_event) {
  if (line.empty()) {
    const SseEvent event = std::exchange(event_, {});
    if (!std::exchange(has_data_, false)) return absl::OkStatus();
    return on_event({event.type.empty() ? "message" : event.type, event.data});
  }
  const size_t colon = line.find(':');
  const absl::string_view name = line.substr(0, colon);
  absl::string_view value =
      colon == absl::string_view::npos ? "" : line.substr(colon + 1);
  absl::ConsumePrefix(&value, " ");
  if (name == "data") {
    absl::StrAppend(&event_.data, has_data_ ? "\n" : "", value);
    has_data_ = true;
  } else if (name == "event") {
    event_.type = std::string(value);
  }
  return absl::OkStatus();
}

}  // namespace sluice::cli
