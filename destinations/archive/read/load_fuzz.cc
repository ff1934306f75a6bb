// Whatever payload_ids holds, under a manifest with its right hash: what is
// given out is valid, ascending and distinct, and never more than was counted.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/payload_writer.h"
#include "sluice/destinations/archive/read/load.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/executor/context.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  static constexpr char kId[] = "01ARZ3NDEKTSV4RRFFQ69G5X01";
  FakeObjectStore store;
  store.PutRaw(std::string(kId) + "/payload_ids", bytes);
  Manifest manifest;
  manifest.set_backup_id(kId);
  manifest.set_payload_id_count(
      static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n')));
  manifest.set_payload_ids_sha256(ToHex(Sha256Of(bytes)));
  std::string last;
  uint64_t count = 0;
  const absl::Status status = StreamPayloadIds(
      Context::Background(), store, manifest, [&](absl::string_view id) {
        if (!IsPayloadId(id)) std::abort();
        if (count > 0 && id <= absl::string_view(last)) std::abort();
        last = std::string(id);
        ++count;
        return absl::OkStatus();
      });
  if (count > manifest.payload_id_count()) std::abort();
  if (status.ok() && count != manifest.payload_id_count()) std::abort();
  if (!status.ok() && ErrorCodeOf(status) != kArchiveDamaged &&
      ErrorCodeOf(status) != kArchiveNotFound) {
    std::abort();
  }
  return 0;
}
