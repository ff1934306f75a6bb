#include "sluice/cli/terminal/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/cli/terminal/text.h"

namespace sluice::cli {
namespace {

// 0, or the errno that ended it.
int WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

std::string LogfmtValue(const Json& value) {
  if (!value.is_string()) return Encode(value);
  const auto& text = value.get_ref<const std::string&>();
  const bool plain = !text.empty() &&
                     text.find_first_of(" =\"\\") == std::string::npos &&
                     Printable(text) == text;
  return plain ? text : Encode(value);
}

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

}  // namespace

void Console::Result(absl::string_view text) {
  const std::string lines = PrintableLines(text);
  MutexLock lock(mutex_);
  absl::StrAppend(&result_, lines);
}

void Console::ResultBytes(absl::string_view bytes) {
  if (options_.result_terminal) return Result(bytes);
  MutexLock lock(mutex_);
  absl::StrAppend(&result_, bytes);
}

void Console::Done(absl::string_view text) {
  if (!options_.quiet) Result(text);
}

void Console::ResultJson(const Json& json) {
  const std::string line = absl::StrCat(Encode(json), "\n");
  MutexLock lock(mutex_);
  absl::StrAppend(&result_, line);
}

absl::Status Console::Flush() {
  std::string result;
  {
    MutexLock lock(mutex_);
    result.swap(result_);
    if (reader_gone_) result.clear();
  }
  if (options_.result_sink) return options_.result_sink(result);
  const int error = WriteAll(options_.result_fd, result);
  MutexLock lock(mutex_);
  if (error == EPIPE) reader_gone_ = true;
  if (reader_gone_) return absl::UnavailableError("write stdout: broken pipe");
  if (error == 0) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInternal, kOutputFailed,
                   absl::StrCat("write stdout: ", strerror(error)));
}

size_t Console::Width() const {
  struct winsize size {};
  const bool known = ioctl(options_.note_fd, TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 0 ? size.ws_col : 80;
}

void Console::WriteLine(const std::string& line) {
  MutexLock lock(mutex_);
  std::string bytes;
  if (!bar_.empty()) bytes = "\r\x1b[K";
  absl::StrAppend(&bytes, line, "\n", bar_);
  WriteAll(options_.note_fd, bytes);
}

void Console::Note(absl::string_view line) { WriteLine(Printable(line)); }

void Console::Error(const absl::Status& status) {
  const absl::string_view red = options_.color ? "\x1b[31m" : "";
  const absl::string_view plain = options_.color ? "\x1b[0m" : "";
  WriteLine(absl::StrCat(red, "sluice: ", plain,
                         Printable(std::string(status.message())), " (",
                         Printable(ErrorCodeOf(status)), ")"));
  const std::string hint = HintOf(status);
  if (!hint.empty()) WriteLine(absl::StrCat("hint: ", Printable(hint)));
}

void Console::Log(LogLevel level, absl::string_view message,
                  const Json& fields) {
  if (!options_.logs || (options_.quiet && level == LogLevel::kInfo)) return;
  Json line = {
      {"time", TimeText(absl::ToUnixMillis(clock_->Now()))},
      {"level", std::string(LevelName(level))},
      {"msg", std::string(message)},
  };
  line.update(fields);
  WriteLine(options_.json_log ? Encode(line) : Logfmt(line));
}

void Console::ShowBar(absl::string_view bar) {
  if (!options_.terminal) return;
  MutexLock lock(mutex_);
  if (bar_.empty() && bar.empty()) return;
  // The last column stays free: a full line would scroll.
  bar_ = Printable(bar).substr(0, Width() - 1);
  WriteAll(options_.note_fd, absl::StrCat("\r\x1b[K", bar_));
}

std::string Logfmt(const Json& fields) {
  std::string line;
  for (const auto& [key, value] : fields.items()) {
    absl::StrAppend(&line, line.empty() ? "" : " ", key, "=",
                    LogfmtValue(value));
  }
  return line;
}

}  // namespace sluice::cli
