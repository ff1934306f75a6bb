#include "sluice/destinations/archive/read/verify.h"

#include <xxhash.h>

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/read/archive_reader.h"
#include "sluice/destinations/archive/read/index_reader.h"
#include "sluice/destinations/archive/read/load.h"

namespace sluice {
namespace {

absl::Status CheckObjects(const Context& context, ObjectStore& store,
                          const Manifest& manifest, VerifyFindings* findings) {
  // Sizes that the manifest does not hold are proven by their hash.
  constexpr uint64_t kAny = UINT64_MAX;
  std::map<std::string, uint64_t> expected = {
      {std::string(kManifestFile), kAny}, {std::string(kSumsFile), kAny}};
  for (const Segment& segment : manifest.segments())
    expected[segment.name()] = segment.size_bytes();
  if (manifest.payload_id_count() > 0)
    expected[std::string(kPayloadIdsFile)] = kAny;
  if (manifest.index_size_bytes() > 0)
    expected[std::string(kIndexFile)] = manifest.index_size_bytes();
  const auto check = [&](const ObjectInfo& object) -> absl::Status {
    const absl::string_view file = SplitObjectName(object.name).file;
    // Stays where the writer died right after it had published.
    if (file == kWriterFile) return absl::OkStatus();
    if (!IsArchiveFile(file)) {
      if (findings != nullptr) findings->foreign_files.emplace_back(file);
      return absl::OkStatus();
    }
    const auto found = expected.find(std::string(file));
    if (found == expected.end()) {
      return ArchiveDamaged(manifest.backup_id(),
                            absl::StrCat(file, " does not belong to it"));
    }
    if (found->second != kAny && found->second != object.size) {
      return ArchiveDamaged(manifest.backup_id(),
                            absl::StrCat(file, " has size ", object.size,
                                         ", expected ", found->second));
    }
    expected.erase(found);
    return absl::OkStatus();
  };
  SLUICE_RETURN_IF_ERROR(
      store.List(context, ObjectName(manifest.backup_id(), ""), check));
  if (expected.empty()) return absl::OkStatus();
  return ExplainMissing(context, store, manifest.backup_id(),
                        expected.begin()->first);
}

absl::Status CheckPayload(const Context& context,
                          std::shared_ptr<ObjectStore> store,
                          const Manifest& manifest,
                          const PipeOptions& read_ahead,
                          const VerifyProgress& progress) {
  SLUICE_ASSIGN_OR_RETURN(
      std::unique_ptr<PayloadReader> payload,
      OpenArchivePayload(context, std::move(store), manifest, read_ahead));
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> xxh3(
      XXH3_createState(), XXH3_freeState);
  XXH3_64bits_reset(xxh3.get());
  uint64_t done = 0;
  while (true) {
    SLUICE_RETURN_IF_ERROR(context.status());
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view view, payload->Next());
    if (view.empty()) break;
    XXH3_64bits_update(xxh3.get(), view.data(), view.size());
    done += view.size();
    payload->Release();
    if (progress) progress(done, manifest.size_bytes());
  }
  if (done != payload->trailer().size_bytes) {
    return ArchiveDamaged(
        manifest.backup_id(),
        absl::StrCat("the payload has size ", done, ", expected ",
                     payload->trailer().size_bytes));
  }
  if (XXH3_64bits_digest(xxh3.get()) != payload->trailer().xxh3) {
    return ArchiveDamaged(
        manifest.backup_id(),
        "the payload differs from what the source sent: XXH3-64 mismatch");
  }
  return absl::OkStatus();
}

absl::Status CheckIndex(const Context& context,
                        std::shared_ptr<ObjectStore> store,
                        const Manifest& manifest) {
  if (manifest.index_size_bytes() == 0) return absl::OkStatus();
  const std::unique_ptr<PayloadReader> index =
      OpenArchiveIndex(context, std::move(store), manifest);
  while (true) {
    SLUICE_RETURN_IF_ERROR(context.status());
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view view, index->Next());
    if (view.empty()) return absl::OkStatus();
    index->Release();
  }
}

}  // namespace

absl::StatusOr<Manifest> VerifyArchive(
    const Context& context, const std::shared_ptr<ObjectStore>& store,
    absl::string_view backup_id, const PipeOptions& read_ahead,
    const VerifyProgress& progress, VerifyFindings* findings) {
  SLUICE_ASSIGN_OR_RETURN(Manifest manifest,
                          LoadManifest(context, *store, backup_id));
  SLUICE_RETURN_IF_ERROR(CheckObjects(context, *store, manifest, findings));
  SLUICE_RETURN_IF_ERROR(
      CheckPayload(context, store, manifest, read_ahead, progress));
  SLUICE_RETURN_IF_ERROR(
      StreamPayloadIds(context, *store, manifest,
                       [&](absl::string_view) { return context.status(); }));
  SLUICE_RETURN_IF_ERROR(CheckIndex(context, store, manifest));
  return manifest;
}

}  // namespace sluice
