#ifndef SLUICE_SERVICE_HTTP_SERVER_INBOX_H_
#define SLUICE_SERVICE_HTTP_SERVER_INBOX_H_

// What other threads tell the thread that moves the bytes: functions that it
// calls, and a descriptor that turns readable. Thread-safe. Shared by all that
// post, and so may outlive the server; then nothing is called any more.

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/base/mutex.h"

namespace sluice::http {

class Inbox {
 public:
  using Call = std::function<void()>;

  static absl::StatusOr<std::shared_ptr<Inbox>> Open();
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  void Post(Call call);
  // All that was posted; the descriptor is no longer readable.
  std::vector<Call> Take();
  // From now on what is posted is dropped.
  void Close();
  int fd() const { return fd_; }

 private:
  explicit Inbox(int fd) : fd_(fd) {}

  const int fd_;
  Mutex mutex_;
  std::vector<Call> calls_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_INBOX_H_
