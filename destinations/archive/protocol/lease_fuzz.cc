// Whatever writer.json holds: it is refused, or it says what its writer would
// have said.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/protocol/lease.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<WriterRecord> record = ParseWriter(bytes);
  if (!record.ok()) {
    if (ErrorCodeOf(record.status()) != kArchiveDamaged) std::abort();
    return 0;
  }
  const absl::StatusOr<WriterRecord> again = ParseWriter(EncodeWriter(*record));
  if (!again.ok() || again->owner != record->owner ||
      absl::AbsDuration(again->expires_at - record->expires_at) >
          absl::Milliseconds(1)) {
    std::abort();
  }
  return 0;
}
