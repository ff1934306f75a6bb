#include "sluice/service/http/server/inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice::http {

absl::StatusOr<std::shared_ptr<Inbox>> Inbox::Open() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     absl::StrCat("eventfd: ", std::strerror(errno)));
  }
  return std::shared_ptr<Inbox>(new Inbox(fd));
}

Inbox::~Inbox() { close(fd_); }

void Inbox::Post(Call call) {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    calls_.push_back(std::move(call));
    if (calls_.size() > 1) return;  // it was woken for the first
  }
  const uint64_t one = 1;
  // Can fail only where it is readable already.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
}

std::vector<Inbox::Call> Inbox::Take() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof(count));
  MutexLock lock(mutex_);
  return std::exchange(calls_, {});
}

void Inbox::Close() {
  std::vector<Call> calls;
  MutexLock lock(mutex_);
  closed_ = true;
  calls.swap(calls_);
}

}  // namespace sluice::http
