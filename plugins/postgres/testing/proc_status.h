#ifndef SLUICE_PLUGINS_POSTGRES_TESTING_PROC_STATUS_H_
#define SLUICE_PLUGINS_POSTGRES_TESTING_PROC_STATUS_H_

#include <cstdint>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sluice::postgres {

// Bytes that a field of /proc/self/status tells: "VmRSS".
inline uint64_t FromProcStatus(absl::string_view field) {
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t kib = 0;
  while (status >> word) {
    if (word == absl::StrCat(field, ":")) status >> kib;
  }
  return kib * 1024;
}

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TESTING_PROC_STATUS_H_
