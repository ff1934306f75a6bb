#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_WRITER_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_WRITER_H_

// Writes a POSIX tar (ustar) into a sink: plain files, as they come.
//
//   TarWriter tar(sink);
//   SLUICE_RETURN_IF_ERROR(tar.Add("data/1/000001.copy", {row, more_rows}));
//   SLUICE_RETURN_IF_ERROR(tar.Begin("schema.dump", size));
//   while (...) SLUICE_RETURN_IF_ERROR(tar.Append(bytes));
//   SLUICE_RETURN_IF_ERROR(tar.Finish());
//   return sink.End(counts);
//
// A name of more than 100 bytes and a size of 8 GiB or more go into a pax
// header before the member. All else is constant (mode 0600, owner 0, time 0),
// so the same members make the same bytes. Keeps nothing; copies only headers.
//
// One thread: whoever shares it holds a lock from Begin to the member's last
// byte, which Add is. After an error it is of no further use: return the error.
// INTERNAL for a caller's mistake: more or fewer bytes than were said, a name
// that no reader would take.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace postgres {

class TarWriter {
 public:
  // Borrows `sink`.
  explicit TarWriter(sdk::Sink& sink) : sink_(sink) {}

  // A whole member, of `pieces` one after the other.
  absl::Status Add(absl::string_view name,
                   absl::Span<const absl::string_view> pieces);
  absl::Status Add(absl::string_view name, absl::string_view bytes) {
    return Add(name, absl::MakeConstSpan(&bytes, 1));
  }
  // A member of exactly `size` bytes, which Append gives.
  absl::Status Begin(absl::string_view name, uint64_t size);
  absl::Status Append(absl::string_view bytes);
  // The two empty blocks at the end; not the end of the sink.
  absl::Status Finish();

  // Bytes written so far, headers included.
  uint64_t bytes() const { return bytes_; }

 private:
  absl::Status PutHeader(absl::string_view name, uint64_t size, char type);
  absl::Status PutPaxHeader(absl::string_view records);
  absl::Status Put(absl::string_view bytes);
  absl::Status Pad(uint64_t size);

  sdk::Sink& sink_;
  std::string name_;        // of the member begun last
  uint64_t size_ = 0;       // of it
  uint64_t remaining_ = 0;  // of its bytes
  uint64_t bytes_ = 0;
};

}  // namespace postgres
}  // namespace sluice

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_WRITER_H_
