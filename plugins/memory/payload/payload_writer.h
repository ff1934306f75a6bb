#ifndef SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_WRITER_H_
#define SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_WRITER_H_

// Writes the payload of docs/format/memory-payload.md into a sink.
//
//   PayloadWriter writer(sink);
//   SLUICE_RETURN_IF_ERROR(writer.BeginEntry("fruit"));
//   SLUICE_RETURN_IF_ERROR(writer.AppendValue("apple"));
//   SLUICE_RETURN_IF_ERROR(writer.EndEntry());
//   return writer.Finish();
//
// Records are built in the sink's own chunks; a value may be read straight into
// one (ReserveValue, CommitValue), so nothing of it is copied. Holds one chunk
// of the sink and no other memory that grows. One thread. After an error the
// writer is of no further use: return the error.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/memory/payload/payload_format.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace memory_internal {

class PayloadWriter {
 public:
  // Borrows `sink`. Nothing else may write into it meanwhile.
  explicit PayloadWriter(sdk::Sink& sink) : sink_(sink) {}

  // Keys must ascend. INTERNAL where they don't or one is too long: a reader
  // would refuse it, so it is never written.
  absl::Status BeginEntry(absl::string_view key);
  // Of the entry begun, before its value; ascending. Told to the sink as well.
  absl::Status AddPayloadIds(absl::Span<const std::string> ids);
  absl::Status AppendValue(absl::string_view bytes);
  // Room for the next bytes of the value, at least one; valid until
  // CommitValue, which makes the first `bytes` of it part of the value. 0 is
  // allowed.
  absl::StatusOr<absl::Span<char>> ReserveValue();
  absl::Status CommitValue(size_t bytes);
  absl::Status EndEntry();
  // The last record, and the sink's explicit end with the counts "keys" and
  // "bytes" (of the values).
  absl::Status Finish();

  const PayloadTotals& totals() const { return totals_; }

 private:
  absl::Status EnsureHeader();
  absl::Status EnsureRoom();
  absl::Status CommitChunk();
  absl::Status Put(absl::string_view bytes);
  absl::Status PutRecord(Record record, absl::string_view length,
                         absl::string_view bytes);

  sdk::Sink& sink_;
  absl::Span<char> chunk_;  // reserved; empty: none is
  size_t used_ = 0;         // of chunk_
  std::string scratch_;     // where the chunk's rest is too small for a piece
  bool piece_in_scratch_ = false;
  bool began_ = false;
  std::string previous_key_;
  PayloadTotals totals_;
};

}  // namespace memory_internal
}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_WRITER_H_
