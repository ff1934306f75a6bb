#include "sluice/service/http/message/response_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace sluice::http {
namespace {

std::string OneLine(absl::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != '\0') line.push_back(c);
  }
  return line;
}

}  // namespace

std::string FormatEvent(const Event& event) {
  std::string text;
  if (!event.id.empty())
    absl::StrAppend(&text, "id: ", OneLine(event.id), "\n");
  if (!event.type.empty()) {
    absl::StrAppend(&text, "event: ", OneLine(event.type), "\n");
  }
  const std::string data =
      absl::StrReplaceAll(event.data, {{"\r\n", "\n"}, {"\r", "\n"}});
  for (const absl::string_view line : absl::StrSplit(data, '\n')) {
    absl::StrAppend(&text, "data: ", line, "\n");
  }
  text.push_back('\n');
  return text;
}

bool ResponseStream::Write(absl::string_view bytes) {
  std::function<void()> wake;
  bool fits = false;
  {
    MutexLock lock(mutex_);
    if (ended_ || cut_ || closed_) return false;
    fits = buffer_.size() + bytes.size() <= max_buffered_;
    if (fits) {
      buffer_.append(bytes.data(), bytes.size());
    } else {
      cut_ = true;
      std::string().swap(buffer_);
    }
    if (server_waits_ || cut_) wake = wake_;
    server_waits_ = false;
  }
  if (wake != nullptr) wake();
  return fits;
}

void ResponseStream::End() {
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    if (ended_ || cut_ || closed_) return;
    ended_ = true;
    server_waits_ = false;
    wake = wake_;
  }
  if (wake != nullptr) wake();
}

bool ResponseStream::is_open() const {
  MutexLock lock(mutex_);
  return !ended_ && !cut_ && !closed_;
}

void ResponseStream::OnClosed(std::function<void()> callback) {
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      on_closed_ = std::move(callback);
      return;
    }
  }
  callback();
}

ResponseStream::Taken ResponseStream::Take(char* buffer, size_t size) {
  MutexLock lock(mutex_);
  Taken taken;
  if (cut_ || closed_) {
    taken.is_cut = true;
    return taken;
  }
  taken.bytes = std::min(size, buffer_.size());
  if (taken.bytes > 0) {
    std::memcpy(buffer, buffer_.data(), taken.bytes);
    buffer_.erase(0, taken.bytes);
    taken_since_heartbeat_ = true;
  } else if (ended_) {
    taken.is_over = true;
  } else {
    // An idle stream keeps no room.
    std::string().swap(buffer_);
    server_waits_ = true;
  }
  return taken;
}

void ResponseStream::Bind(std::function<void()> wake) {
  MutexLock lock(mutex_);
  wake_ = std::move(wake);
}

bool ResponseStream::Heartbeat() {
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    if (!buffer_.empty()) return std::exchange(taken_since_heartbeat_, false);
    taken_since_heartbeat_ = false;
    if (ended_ || cut_ || closed_) return true;
    buffer_ = ":\n\n";
    if (server_waits_) wake = wake_;
    server_waits_ = false;
  }
  if (wake != nullptr) wake();
  return true;
}

void ResponseStream::Cut() {
  MutexLock lock(mutex_);
  cut_ = true;
  std::string().swap(buffer_);
}

bool ResponseStream::is_cut() const {
  MutexLock lock(mutex_);
  return cut_;
}

void ResponseStream::Close() {
  std::function<void()> callback;
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    wake.swap(wake_);
    callback.swap(on_closed_);
    std::string().swap(buffer_);
  }
  if (callback != nullptr) callback();
}

}  // namespace sluice::http
