#ifndef SLUICE_BENCHMARKS_CHILD_PROCESS_H_
#define SLUICE_BENCHMARKS_CHILD_PROCESS_H_

// Commands as they are shipped, measured from outside: whole processes, with
// all that they take to start and to end.
//
//   const ProcessCost cost = RunProcess({"badger", "backup", ...});
//   cost.seconds, cost.peak_bytes
//
// A command that fails ends the benchmark with what it printed. The peak is
// wait4(2)'s ru_maxrss, and never less than what this process holds at the
// moment: run it from a small one.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::benchmarks {

struct ProcessCost {
  double seconds = 0;
  double cpu_seconds = 0;  // of it and of what it waited for
  uint64_t peak_bytes = 0;
};

// `command`: the first word is looked for in PATH. Waits for its end.
ProcessCost RunProcess(const std::vector<std::string>& command);

// A command that runs until it is stopped, or ends by itself.
class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& command);
  // Kills it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Its cost, once it has ended with status 0.
  ProcessCost Wait();

 private:
  std::string name_;
  double began_;
  int output_;  // what it prints
  pid_t pid_;
};

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_CHILD_PROCESS_H_
