#include "sluice/service/engine/free_memory.h"

#include <malloc.h>

namespace sluice::service {

void ReturnFreeMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace sluice::service
