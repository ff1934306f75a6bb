#ifndef SLUICE_TESTS_COMPATIBILITY_GOLDEN_STORE_H_
#define SLUICE_TESTS_COMPATIBILITY_GOLDEN_STORE_H_

// What is in every golden archive. Never changes: archives of past versions
// were made of it.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/store/memory_store.h"

namespace sluice {

struct GoldenEntry {
  std::string key;
  std::string value;
  std::vector<std::string> payload_ids;
};

inline constexpr char kGoldenStoreId[] = "golden-store";
inline constexpr size_t kGoldenSegmentBytes = 4096;

// Ascending by key: an empty value, a key that is no UTF-8, a value larger than
// a segment, ids that two entries share.
inline std::vector<GoldenEntry> GoldenEntries() {
  std::string large;
  for (int i = 0; large.size() < 10000; ++i) absl::StrAppend(&large, i, ",");
  return {{"empty", "", {}},
          {"large", large, {"block-2", "block-1"}},
          {"sub/small", "1", {"block-2", "block-3"}},
          {std::string("\xff\xfe\x00 bytes", 9), std::string("\0\n", 2), {}}};
}

inline absl::StatusOr<std::shared_ptr<MemoryStore>> MakeGoldenStore() {
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<MemoryStore> store,
                          MemoryStore::Create(kGoldenStoreId));
  for (const GoldenEntry& entry : GoldenEntries()) {
    SLUICE_RETURN_IF_ERROR(
        store->Put(entry.key, entry.value, entry.payload_ids));
  }
  return store;
}

}  // namespace sluice

#endif  // SLUICE_TESTS_COMPATIBILITY_GOLDEN_STORE_H_
