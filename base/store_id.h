#ifndef SLUICE_BASE_STORE_ID_H_
#define SLUICE_BASE_STORE_ID_H_

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace sluice {

inline constexpr size_t kMaxStoreIdBytes = 128;

// Whether `id` can be a store's: 1 to 128 bytes of [A-Za-z0-9._-].
inline bool IsStoreId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxStoreIdBytes &&
         std::all_of(id.begin(), id.end(), [](char byte) {
           return absl::ascii_isalnum(static_cast<unsigned char>(byte)) ||
                  byte == '.' || byte == '_' || byte == '-';
         });
}

}  // namespace sluice

#endif  // SLUICE_BASE_STORE_ID_H_
