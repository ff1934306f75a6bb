#ifndef SLUICE_PLUGINS_BADGER_IMAGE_STORE_TRAITS_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_STORE_TRAITS_H_

// What of a database Badger's backup stream does not hold, and a restored one
// needs so that its application opens it and sees what it saw. It is kept in
// the archive's metadata (docs/format/badger-payload.md).
//
//   SLUICE_ASSIGN_OR_RETURN(StoreTraits traits, TraitsOf(*image));
//   SLUICE_ASSIGN_OR_RETURN(sdk::Metadata metadata, TraitsMetadata(traits));
//   ...
//   SLUICE_ASSIGN_OR_RETURN(StoreTraits traits, TraitsOfChain(payloads));
//
// Pure but for TraitsOf, which reads what Badger keeps under its own keys. Any
// thread.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

// Keys of the metadata.
inline constexpr char kFormatMetadata[] = "badger.format";  // 7 or 8
inline constexpr char kExternalMagicMetadata[] = "badger.external_magic";
inline constexpr char kDeepestLevelMetadata[] = "badger.deepest_level";
inline constexpr char kEncryptedMetadata[] = "badger.encrypted";  // 0 or 1
inline constexpr char kBannedMetadata[] = "badger.banned";  // hex, by commas
inline constexpr char kValueThresholdMetadata[] = "badger.value_threshold";

// So many bans are carried; an archive's metadata has an end.
inline constexpr size_t kMaxBannedNamespaces = 32768;
// No application has as many.
inline constexpr uint32_t kMaxLevel = 63;

struct StoreTraits {
  uint16_t format = 0;  // 7 or 8; 0: not known, as of a stream of Badger's own
  uint16_t external_magic = 0;
  // Of the tables. 0: all lie on level 0, or there are none.
  uint32_t deepest_level = 0;
  bool knows_level = false;
  bool is_encrypted = false;
  std::vector<uint64_t> banned;  // ascending
  // The shortest value that was found in a value log; 0: none was looked for.
  uint64_t value_threshold = 0;
};

// All but the threshold. Errors: those of reading; source_failed beyond
// kMaxBannedNamespaces.
absl::StatusOr<StoreTraits> TraitsOf(const Image& image);

sdk::Metadata TraitsMetadata(const StoreTraits& traits);

// Those of the last payload; the threshold of the last that has one. Errors:
// archive_damaged, archive_unsupported.
absl::StatusOr<StoreTraits> TraitsOfChain(
    absl::Span<sdk::Payload* const> payloads);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_STORE_TRAITS_H_
