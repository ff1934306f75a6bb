// Whatever a stream holds: it is refused for good, or what it says can be
// written again and read back; and it does not matter how it is cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/badger/stream/backup_stream_reader.h"
#include "sluice/plugins/badger/stream/backup_stream_writer.h"

namespace sluice {
namespace badger {
namespace {

// Reads `bytes` in pieces, writing each entry again.
absl::Status Copy(absl::string_view bytes, size_t piece, std::string& copy) {
  BackupStreamWriter writer(
      [&copy](absl::string_view frame) {
        copy.append(frame.data(), frame.size());
        return absl::OkStatus();
      },
      4096);
  BackupStreamReader reader(
      [&writer](const StreamEntry& entry) { return writer.Add(entry); });
  const absl::Status status = FeedInPieces(reader, bytes, piece);
  if (reader.entries() != writer.entries()) std::abort();
  return status.ok() ? writer.Finish() : status;
}

}  // namespace
}  // namespace badger
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string whole;
  const absl::Status status =
      badger::Copy(bytes, std::max<size_t>(size, 1), whole);
  if (!status.ok() && ErrorCodeOf(status) != kArchiveDamaged) std::abort();
  std::string cut;
  if (badger::Copy(bytes, 7, cut) != status || cut != whole) std::abort();
  if (!status.ok()) return 0;
  std::string again;
  if (!badger::Copy(whole, 1000, again).ok() || again != whole) std::abort();
  return 0;
}
