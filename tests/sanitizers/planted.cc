#include "sluice/tests/sanitizers/planted.h"

#include <cstdlib>
#include <limits>
#include <thread>
#include <vector>

namespace sluice {
namespace {

// Volatile, so that no optimiser proves the bug away before a sanitizer sees
// it.
volatile int sink = 0;
volatile size_t seven = 7;

void ReadPastTheEnd() {
  std::vector<int>* numbers = new std::vector<int>(seven);
  sink = numbers->data()[seven];
  delete numbers;
}

void LoseMemory() { static_cast<int*>(std::malloc(64))[0] = sink; }

void OverflowAnInteger() {
  const int big = std::numeric_limits<int>::max() - 7;
  sink = big + static_cast<int>(seven) + 1;
}

void RaceOnACounter() {
  int counter = 0;
  auto count = [&counter] {
    for (int i = 0; i < 1000; ++i) {
      ++counter;
      sink = counter;
    }
  };
  std::thread one(count);
  std::thread two(count);
  one.join();
  two.join();
}

}  // namespace

bool RunPlantedBug(const std::string& name) {
  if (name == "none") return true;
  if (name == "heap-overflow") return ReadPastTheEnd(), true;
  if (name == "leak") return LoseMemory(), true;
  if (name == "overflow") return OverflowAnInteger(), true;
  if (name == "race") return RaceOnACounter(), true;
  return false;
}

}  // namespace sluice
