#include "sluice/benchmarks/process_memory.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

namespace sluice::benchmarks {
namespace {

std::atomic<uint64_t> bytes_allocated{0};
std::atomic<uint64_t> allocations{0};

// A line of /proc/self/status, in bytes; 0 where there is none.
uint64_t StatusBytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    uint64_t kib = 0;
    if (word == key + ":" && status >> kib) return kib * 1024;
  }
  return 0;
}

void* Allocate(size_t bytes, size_t alignment) {
  bytes_allocated.fetch_add(bytes, std::memory_order_relaxed);
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = nullptr;
  if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
    memory = std::malloc(bytes == 0 ? 1 : bytes);
  } else if (posix_memalign(&memory, alignment, bytes) != 0) {
    memory = nullptr;
  }
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

PeakMemory::PeakMemory() {
  std::ofstream("/proc/self/clear_refs") << "5";
  resident_before_ = StatusBytes("VmRSS");
}

uint64_t PeakMemory::Bytes() const {
  const uint64_t peak = StatusBytes("VmHWM");
  return peak > resident_before_ ? peak - resident_before_ : 0;
}

uint64_t BytesAllocated() { return bytes_allocated; }
uint64_t Allocations() { return allocations; }

}  // namespace sluice::benchmarks

void* operator new(size_t bytes) {
  return sluice::benchmarks::Allocate(bytes, 1);
}
void* operator new[](size_t bytes) {
  return sluice::benchmarks::Allocate(bytes, 1);
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return sluice::benchmarks::Allocate(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return sluice::benchmarks::Allocate(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
