#ifndef SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_PARSER_H_
#define SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_PARSER_H_

// Reads the payload of docs/format/memory-payload.md, cut into whatever pieces
// it comes in, and checks all that the page says.
//
//   PayloadParser parser(visitor);
//   while (true) {
//     SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, payload.Next());
//     if (bytes.empty()) break;
//     SLUICE_RETURN_IF_ERROR(parser.Feed(bytes));
//   }
//   SLUICE_RETURN_IF_ERROR(parser.Finish());
//
// Holds two keys and one id, 130 KiB at most, whatever the bytes claim. One
// thread. Errors: archive_damaged, archive_unsupported for a newer version, and
// the visitor's own, each for good.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/piece_parser.h"
#include "sluice/plugins/memory/payload/payload_format.h"

namespace sluice {
namespace memory_internal {

// Told what a payload holds, in its order. Views live for the call.
class PayloadVisitor {
 public:
  virtual ~PayloadVisitor() = default;

  virtual absl::Status BeginEntry(absl::string_view key) = 0;
  virtual absl::Status AddPayloadId(absl::string_view id) = 0;
  virtual absl::Status AppendValue(absl::string_view bytes) = 0;
  virtual absl::Status EndEntry() = 0;
};

class PayloadParser final : public PieceParser {
 public:
  // Borrows `visitor`.
  explicit PayloadParser(PayloadVisitor& visitor) : visitor_(visitor) {}

  // OK only after the end record.
  absl::Status Finish();

  const PayloadTotals& totals() const { return totals_; }

 private:
  enum class State {
    kHeader,
    kRecord,
    kKeyLength,
    kKey,
    kIdLength,
    kId,
    kPieceLength,
    kPiece,
    kEndCounts,
    kEnded
  };

  size_t Wanted() const;
  absl::Status Step(absl::string_view& bytes) override;
  absl::Status OnField(absl::string_view field);
  absl::Status OnHeader(absl::string_view field);
  absl::Status OnRecord(Record record);
  absl::Status OnKey(absl::string_view key);
  absl::Status OnPayloadId(absl::string_view id);
  absl::Status OnPieceLength(uint64_t length);
  absl::Status OnPiece(absl::string_view& bytes);
  absl::Status OnEndCounts(absl::string_view field);
  absl::Status Damaged(absl::string_view what) const;

  PayloadVisitor& visitor_;
  State state_ = State::kHeader;
  size_t length_ = 0;  // of the key, id or rest of the piece to come
  bool in_entry_ = false;
  bool in_value_ = false;
  std::string previous_key_;
  std::string previous_id_;
  PayloadTotals totals_;
};

}  // namespace memory_internal
}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_PARSER_H_
