#include "sluice/benchmarks/write_gaps.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/status/status.h"
#include "sluice/benchmarks/measure.h"

namespace sluice::benchmarks {
namespace {

constexpr int kLookMilliseconds = 10;  // whether the time is over

}  // namespace

WriteGaps::WriteGaps(const std::string& folder)
    : fd_(inotify_init1(IN_CLOEXEC)) {
  if (inotify_add_watch(fd_, folder.c_str(), IN_MODIFY) < 0) {
    DieUnlessOk(absl::UnavailableError("inotify_add_watch"), folder);
  }
}

WriteGaps::~WriteGaps() { close(fd_); }

std::vector<double> WriteGaps::GatherUntil(
    const std::function<bool()>& is_over) {
  std::vector<double> gaps;
  double last = 0;
  while (!is_over()) {
    pollfd ready = {fd_, POLLIN, 0};
    if (poll(&ready, 1, kLookMilliseconds) <= 0) continue;
    char events[16 << 10];
    if (read(fd_, events, sizeof(events)) <= 0) continue;
    const double now = MonotonicSeconds();
    if (last != 0) gaps.push_back(now - last);
    last = now;
  }
  if (gaps.empty()) {
    DieUnlessOk(absl::UnavailableError("nobody writes"), "watch a folder");
  }
  return gaps;
}

std::vector<double> WriteGaps::Gather(double seconds) {
  const double end = MonotonicSeconds() + seconds;
  return GatherUntil([end] { return MonotonicSeconds() >= end; });
}

std::vector<double> WriteGaps::GatherWhile(double seconds,
                                           const std::function<void()>& work) {
  std::atomic<bool> done = false;
  std::thread worker([&] {
    const double end = MonotonicSeconds() + seconds;
    while (MonotonicSeconds() < end) work();
    done = true;
  });
  std::vector<double> gaps = GatherUntil([&done] { return done.load(); });
  worker.join();
  return gaps;
}

}  // namespace sluice::benchmarks
