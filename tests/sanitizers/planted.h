#ifndef SLUICE_TESTS_SANITIZERS_PLANTED_H_
#define SLUICE_TESTS_SANITIZERS_PLANTED_H_

// Bugs on purpose, one for each kind that a sanitizer must see.

#include <string>

namespace sluice {

// Runs the bug called `name`: "heap-overflow", "leak", "overflow", "race" or
// "none". False for any other name.
bool RunPlantedBug(const std::string& name);

}  // namespace sluice

#endif  // SLUICE_TESTS_SANITIZERS_PLANTED_H_
