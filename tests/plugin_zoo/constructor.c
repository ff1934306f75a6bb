/* Leaves a mark when it is loaded: what is refused must not have run. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "zoo.h"

__attribute__((constructor)) static void leave_a_mark(void) {
  const char* path = getenv("ZOO_MARK");
  if (path != NULL) close(open(path, O_CREAT | O_WRONLY, 0600));
}
