#ifndef SLUICE_BASE_TESTING_THREAD_FAULT_H_
#define SLUICE_BASE_TESTING_THREAD_FAULT_H_

// A system that gives no more threads, for tests.
//
//   const ThreadFault fault("catalog");
//   EXPECT_THAT(OpenSqliteCatalog(...).status(), ...);

#include "absl/strings/string_view.h"

namespace sluice {

// While it lives no thread called `name` can be started in this process, or
// none at all where it is empty. One at a time. A shared object that holds a
// copy of base:thread does not see it.
class ThreadFault {
 public:
  explicit ThreadFault(absl::string_view name = "");
  ~ThreadFault();
  ThreadFault(const ThreadFault&) = delete;
  ThreadFault& operator=(const ThreadFault&) = delete;

  // How many were refused. More than 0: the test saw what it meant to see.
  int refused() const;
};

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_THREAD_FAULT_H_
