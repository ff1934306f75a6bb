// Any bytes are an index or none; what is one is written as it was read.

#include <cstddef>
#include <cstdint>
#include <string>

#include "sluice/destinations/archive/protocol/repo_index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const sluice::RepoIndex index = sluice::RepoIndex::Parse(
      std::string(reinterpret_cast<const char*>(data), size));
  const sluice::RepoIndex again = sluice::RepoIndex::Parse(index.Encode());
  if (again.Encode() != index.Encode()) __builtin_trap();
  return 0;
}
