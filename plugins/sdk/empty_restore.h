#ifndef SLUICE_PLUGINS_SDK_EMPTY_RESTORE_H_
#define SLUICE_PLUGINS_SDK_EMPTY_RESTORE_H_

// Must what is restored hold something? A payload of a backup has the counts
// that its source ended it with; one without is a file that the store's own
// tool wrote, and an empty one is more likely a dump that failed than a store
// that was empty. A restore that finds nothing in it then fails with
// source_empty and leaves the target as it was:
//
// Example:
//
//   if (keys == 0 && sdk::MustHoldSomething(request)) {
//     return MakeError(absl::StatusCode::kFailedPrecondition, kSourceEmpty,
//                      "the payload holds no keys");
//   }
//
// Pure: for the thread that restores, borrows `request` for the call, never
// fails, looks at the payloads' metadata and counts alone.

#include <string>

#include "absl/strings/string_view.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::sdk {

// "1" of a payload that may hold nothing.
inline constexpr absl::string_view kAllowEmptyMetadata = "sluice.allow_empty";

inline bool MustHoldSomething(const RestoreRequest& request) {
  for (const Payload* payload : request.payloads()) {
    if (!payload->counts().empty()) return false;
    const auto allowed =
        payload->metadata().find(std::string(kAllowEmptyMetadata));
    if (allowed != payload->metadata().end() && allowed->second == "1") {
      return false;
    }
  }
  return true;
}

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_EMPTY_RESTORE_H_
