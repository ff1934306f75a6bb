#ifndef SLUICE_SERVICE_ENGINE_FREE_MEMORY_H_
#define SLUICE_SERVICE_ENGINE_FREE_MEMORY_H_

namespace sluice::service {

// Gives the system what the allocator holds and nobody uses: else what a look
// at ten thousand plans took stays the process's, several times what an idle
// service needs. Holds up whoever allocates, some 10 ms for 100 MiB. Any thread.
//
// Example:
//
//   ReturnFreeMemory();
void ReturnFreeMemory();

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_FREE_MEMORY_H_
