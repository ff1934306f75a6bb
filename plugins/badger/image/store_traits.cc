#include "sluice/plugins/badger/image/store_traits.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint64_t kMaxMagic = UINT16_MAX;

absl::Status BadMetadata(absl::string_view key, absl::string_view value) {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("metadata ", key, ": \"", value.substr(0, 64),
                                "\" is not expected there"));
}

// `number` stays as it is where the key is not there.
absl::Status ReadNumber(const sdk::Metadata& metadata, const char* key,
                        uint64_t most, uint64_t& number) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return absl::OkStatus();
  if (absl::SimpleAtoi(found->second, &number) && number <= most) {
    return absl::OkStatus();
  }
  return BadMetadata(key, found->second);
}

absl::Status ReadFormat(const sdk::Metadata& metadata, StoreTraits& traits) {
  uint64_t format = 0;
  SLUICE_RETURN_IF_ERROR(
      ReadNumber(metadata, kFormatMetadata, UINT64_MAX, format));
  if (format != 0 && format != 7 && format != 8) {
    return MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported,
                     absl::StrCat("it is of Badger format ", format,
                                  "; 7 and 8 can be written"));
  }
  traits.format = static_cast<uint16_t>(format);
  return absl::OkStatus();
}

absl::Status ReadBanned(const sdk::Metadata& metadata, StoreTraits& traits) {
  const auto found = metadata.find(kBannedMetadata);
  if (found == metadata.end() || found->second.empty()) return absl::OkStatus();
  for (const absl::string_view text : absl::StrSplit(found->second, ',')) {
    uint64_t name = 0;
    if (!absl::SimpleHexAtoi(text, &name) ||
        (!traits.banned.empty() && name <= traits.banned.back()) ||
        traits.banned.size() >= kMaxBannedNamespaces) {
      return BadMetadata(kBannedMetadata, text);
    }
    traits.banned.push_back(name);
  }
  return absl::OkStatus();
}

absl::StatusOr<StoreTraits> ParseTraits(const sdk::Metadata& metadata) {
  StoreTraits traits;
  SLUICE_RETURN_IF_ERROR(ReadFormat(metadata, traits));
  uint64_t magic = 0;
  uint64_t level = 0;
  uint64_t encrypted = 0;
  SLUICE_RETURN_IF_ERROR(
      ReadNumber(metadata, kExternalMagicMetadata, kMaxMagic, magic));
  SLUICE_RETURN_IF_ERROR(
      ReadNumber(metadata, kDeepestLevelMetadata, kMaxLevel, level));
  SLUICE_RETURN_IF_ERROR(
      ReadNumber(metadata, kEncryptedMetadata, 1, encrypted));
  traits.external_magic = static_cast<uint16_t>(magic);
  traits.deepest_level = static_cast<uint32_t>(level);
  traits.knows_level = metadata.count(kDeepestLevelMetadata) > 0;
  traits.is_encrypted = encrypted == 1;
  SLUICE_RETURN_IF_ERROR(ReadNumber(metadata, kValueThresholdMetadata,
                                    UINT64_MAX, traits.value_threshold));
  SLUICE_RETURN_IF_ERROR(ReadBanned(metadata, traits));
  return traits;
}

}  // namespace

absl::StatusOr<StoreTraits> TraitsOf(const Image& image) {
  const ImageSummary& summary = image.summary();
  StoreTraits traits;
  traits.format = summary.manifest_version;
  traits.external_magic = summary.external_magic;
  traits.is_encrypted = summary.is_encrypted;
  traits.knows_level = true;
  for (const TableSummary& table : summary.tables) {
    traits.deepest_level = std::max(traits.deepest_level, table.listed.level);
    traits.is_encrypted |= table.listed.key_number != 0;
  }
  SLUICE_ASSIGN_OR_RETURN(traits.banned, image.BannedNamespaces());
  if (traits.banned.size() > kMaxBannedNamespaces) {
    return MakeError(absl::StatusCode::kUnimplemented, kSourceUnsupported,
                     absl::StrCat(traits.banned.size(),
                                  " namespaces are banned; an archive carries ",
                                  kMaxBannedNamespaces));
  }
  return traits;
}

sdk::Metadata TraitsMetadata(const StoreTraits& traits) {
  sdk::Metadata metadata = {
      {kFormatMetadata, absl::StrCat(traits.format)},
      {kExternalMagicMetadata, absl::StrCat(traits.external_magic)},
      {kDeepestLevelMetadata,
       absl::StrCat(std::min(traits.deepest_level, kMaxLevel))},
      {kEncryptedMetadata, traits.is_encrypted ? "1" : "0"}};
  if (traits.value_threshold > 0) {
    metadata[kValueThresholdMetadata] = absl::StrCat(traits.value_threshold);
  }
  if (!traits.banned.empty()) {
    metadata[kBannedMetadata] =
        absl::StrJoin(traits.banned, ",", [](std::string* text, uint64_t name) {
          absl::StrAppend(text, absl::Hex(name));
        });
  }
  return metadata;
}

absl::StatusOr<StoreTraits> TraitsOfChain(
    absl::Span<sdk::Payload* const> payloads) {
  StoreTraits traits;
  uint64_t threshold = 0;
  for (const sdk::Payload* payload : payloads) {
    SLUICE_ASSIGN_OR_RETURN(traits, ParseTraits(payload->metadata()));
    if (traits.value_threshold > 0) threshold = traits.value_threshold;
  }
  traits.value_threshold = threshold;
  return traits;
}

}  // namespace badger
}  // namespace sluice
