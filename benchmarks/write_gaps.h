#ifndef SLUICE_BENCHMARKS_WRITE_GAPS_H_
#define SLUICE_BENCHMARKS_WRITE_GAPS_H_

// How long a writer's log stands still between two writes, seen from outside
// (inotify), without slowing the writer: what the transactions of a database
// wait for that writes each batch of them at once.
//
//   WriteGaps gaps("/srv/db");  // an existing folder
//   std::vector<double> seconds = gaps.Gather(5);
//   Percentile(seconds, 0.99);
//
// One thread. Writes that follow within the time that the kernel takes to tell
// of them count as one.

#include <functional>
#include <string>
#include <vector>

namespace sluice::benchmarks {

class WriteGaps {
 public:
  explicit WriteGaps(const std::string& folder);
  ~WriteGaps();
  WriteGaps(const WriteGaps&) = delete;
  WriteGaps& operator=(const WriteGaps&) = delete;

  // The gaps of the next so many seconds. At least one, or the process ends.
  std::vector<double> Gather(double seconds);
  // The same while `work` runs on another thread, again and again until the
  // time is over, and until its last run has ended.
  std::vector<double> GatherWhile(double seconds,
                                  const std::function<void()>& work);

 private:
  std::vector<double> GatherUntil(const std::function<bool()>& is_over);

  int fd_;
};

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_WRITE_GAPS_H_
