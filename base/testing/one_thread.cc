// What a test with `one_thread = True` is linked with: a pthread_create before
// the C library's own. ThreadSanitizer is not run on what has one thread, so
// the day it has a second one is not to pass unseen.

#include <pthread.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/string_view.h"

// As in pthread.h, so that it is the one that is found.
extern "C" int pthread_create(pthread_t* /*thread*/,
                              const pthread_attr_t* /*attributes*/,
                              void* (* /*run*/)(void*),
                              void* /*argument*/) noexcept {
  constexpr absl::string_view kMessage =
      "this test is said to have one thread, and starts another: take "
      "`one_thread = True` out of its rule\n";
  (void)!write(STDERR_FILENO, kMessage.data(), kMessage.size());
  std::abort();
}
