#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_READER_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_READER_H_

// Reads the tar of docs/format/postgres-payload.md, cut into whatever pieces it
// comes in. Of all that a tar can hold it takes what that page allows: plain
// files, and pax headers that give a path or a size. Links, folders, devices,
// sparse files and the rest are refused; names are bytes that its visitor
// judges (they are never a path here).
//
//   TarReader reader(visitor);
//   while (true) {
//     SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, payload.Next());
//     if (bytes.empty()) break;
//     SLUICE_RETURN_IF_ERROR(reader.Feed(bytes));
//   }
//   SLUICE_RETURN_IF_ERROR(reader.Finish());
//
// Holds one block and one pax header, 5 KiB at most, whatever the bytes claim;
// a member's bytes are passed on as they come. One thread. Errors:
// archive_damaged, and the visitor's own, each for good.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/piece_parser.h"

namespace sluice {
namespace postgres {

// Told what a tar holds, in its order. Views live for the call.
class TarVisitor {
 public:
  virtual ~TarVisitor() = default;

  virtual absl::Status BeginMember(absl::string_view name, uint64_t size) = 0;
  // Some of its bytes, never none.
  virtual absl::Status AppendMember(absl::string_view bytes) = 0;
  // All `size` bytes were given.
  virtual absl::Status EndMember() = 0;
};

class TarReader final : public PieceParser {
 public:
  // Borrows `visitor`.
  explicit TarReader(TarVisitor& visitor) : visitor_(visitor) {}

  // OK only after the two empty blocks at the end.
  absl::Status Finish();

 private:
  enum class State { kHeader, kPaxRecords, kMember, kPadding, kEnded };

  absl::Status Step(absl::string_view& bytes) override;
  absl::Status OnHeader(absl::string_view block);
  absl::Status OnPaxHeader(uint64_t size);
  absl::Status OnPaxRecords(absl::string_view records);
  absl::Status OnPaxRecord(absl::string_view key, absl::string_view value);
  absl::Status OnMember(absl::string_view block, uint64_t size);
  absl::Status OnMemberBytes(absl::string_view& bytes);
  absl::Status EndMember();
  absl::Status OnEnd(absl::string_view& bytes);
  void SkipPadding(uint64_t size);
  absl::Status Damaged(absl::string_view what) const;

  TarVisitor& visitor_;
  State state_ = State::kHeader;
  uint64_t size_ = 0;       // of the member or pax header
  uint64_t remaining_ = 0;  // of its bytes, or of its padding
  int empty_blocks_ = 0;
  // What the pax header said of the member to come; empty, 0: nothing.
  std::string pax_name_;
  uint64_t pax_size_ = 0;
  bool after_pax_ = false;
};

}  // namespace postgres
}  // namespace sluice

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_READER_H_
