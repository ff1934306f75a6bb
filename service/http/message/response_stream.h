#ifndef SLUICE_SERVICE_HTTP_MESSAGE_RESPONSE_STREAM_H_
#define SLUICE_SERVICE_HTTP_MESSAGE_RESPONSE_STREAM_H_

// A response that is written while it happens, such as server-sent events
// (WHATWG HTML, section 9.2).
//
// Example:
//
//   auto stream = std::make_shared<ResponseStream>();
//   hub.Add(stream);                     // keeps it while Send is true
//   stream->Send({"42", "job", "{}"});   // from any thread, never blocks
//
// A producer never waits for its client. What was sent and not yet taken is
// kept up to a bound; a client that falls behind further is cut off, and every
// later Send is false. Where there is nothing to send no thread is held, and
// a comment goes out at times, so that proxies keep the connection.
//
// Thread-safe. Shared by its producers and the server. Send costs a copy, and a
// system call where the server has to be woken.

#include <cstddef>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/mutex.h"

namespace sluice::http {

struct Event {
  std::string id;    // "Last-Event-ID" of a client that returns; none if empty
  std::string type;  // none if empty: the client takes it for "message"
  std::string data;  // any lines
};

// `event` as it is sent. Line ends in id or type, which would forge another
// field, are left out, and NULs in an id.
std::string FormatEvent(const Event& event);

class ResponseStream {
 public:
  static constexpr size_t kDefaultMaxBuffered = 64 * 1024;

  explicit ResponseStream(size_t max_buffered = kDefaultMaxBuffered)
      : max_buffered_(max_buffered) {}
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;

  // False where the stream is over: ended, the client gone or cut off. The
  // producer then lets go of it.
  bool Send(const Event& event) { return Write(FormatEvent(event)); }
  bool Write(absl::string_view bytes);
  // The client gets what was sent so far, and the end.
  void End();
  bool is_open() const;

  // Called once, when the connection is gone, by a thread of the server; at
  // once where it is gone already. Must not block.
  void OnClosed(std::function<void()> callback);

  // The server's side, called by its one thread.
  struct Taken {
    size_t bytes = 0;
    bool is_over = false;  // ended, and nothing is left
    bool is_cut = false;   // the client was too slow
  };
  // Up to `size` bytes into `buffer`. Where there are none `wake` is called
  // at the next change.
  Taken Take(char* buffer, size_t size);
  // `wake` is called at changes that the server waits for; it must not block.
  void Bind(std::function<void()> wake);
  // A comment, where nothing else is waiting. False where the client has
  // taken nothing since the last such call although there was something.
  bool Heartbeat();
  // The client is given up: nothing more is sent.
  void Cut();
  bool is_cut() const;
  // The connection is gone.
  void Close();

 private:
  const size_t max_buffered_;
  mutable Mutex mutex_;
  std::string buffer_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool server_waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool taken_since_heartbeat_ ABSL_GUARDED_BY(mutex_) = true;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_MESSAGE_RESPONSE_STREAM_H_
