#ifndef SLUICE_BASE_TESTING_TEST_PROGRAM_H_
#define SLUICE_BASE_TESTING_TEST_PROGRAM_H_

// Another program, to which a test speaks a line at a time, and which it may
// stop or kill at any moment.
//
//   TestProgram worker({"catalog/sqlite/catalog_worker", "hold", path});
//   EXPECT_EQ(worker.Hear(), "held");
//   worker.Signal(SIGKILL);
//   worker.Reap();
//
// Test code only; one thread. Dies where there is no process to be had.

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sluice {

class TestProgram {
 public:
  // The first argument is the executable's path.
  explicit TestProgram(std::vector<std::string> arguments);
  // Kills it where it was not reaped.
  ~TestProgram();
  TestProgram(const TestProgram&) = delete;
  TestProgram& operator=(const TestProgram&) = delete;

  // The next line; empty at the end.
  std::string Hear();
  // Whether there is a line, or the end, within `patience`.
  bool CanHear(absl::Duration patience);
  void Say(const std::string& line);
  std::string Ask(const std::string& line);
  // The end of its stdin.
  void Hush();

  void Signal(int signal);
  // Blocks until it stopped, by SIGSTOP.
  void AwaitStopped();
  // Blocks until it ended, and leaves it a zombie.
  void AwaitEnded();
  // The status of waitpid.
  int Reap();

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  FILE* to_ = nullptr;
  int from_ = -1;
  std::string heard_;  // and not yet given out
};

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_TEST_PROGRAM_H_
