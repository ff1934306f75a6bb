// Whatever the documents of a payload hold: they are refused with one of two
// words, or can be written again and read as the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/plugins/postgres/payload/payload_index.h"

namespace sluice::postgres {
namespace {

template <typename T>
void Check(absl::string_view bytes,
           absl::StatusOr<T> (*parse)(absl::string_view),
           absl::StatusOr<std::string> (*write)(const T&)) {
  const absl::StatusOr<T> parsed = parse(bytes);
  if (!parsed.ok()) {
    const std::string code = ErrorCodeOf(parsed.status());
    if (code != kArchiveDamaged && code != kArchiveUnsupported) std::abort();
    return;
  }
  const absl::StatusOr<std::string> written = write(*parsed);
  if (!written.ok()) std::abort();
  const absl::StatusOr<T> again = parse(*written);
  if (!again.ok() || !(*again == *parsed)) std::abort();
}

}  // namespace
}  // namespace sluice::postgres

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::postgres;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes, &ParseHead, &WriteHead);
  Check(bytes, &ParseBlobBatch, &WriteBlobBatch);
  Check(bytes, &ParseIndex, &WriteIndex);
  return 0;
}
