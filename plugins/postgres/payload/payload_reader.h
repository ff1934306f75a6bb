#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_READER_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_READER_H_

// Reads the payload of docs/format/postgres-payload.md, cut into whatever
// pieces it comes in, and checks all that the page says of its members: their
// order, that the parts of a table follow one another without a gap, begin and
// end as its format wants, and number what the index says.
//
//   PayloadReader reader(visitor);
//   while (...) SLUICE_RETURN_IF_ERROR(reader.Feed(bytes));
//   SLUICE_RETURN_IF_ERROR(reader.Finish());
//
// Rows are the visitor's to count and to digest. Holds one part or document and
// what the head said. One thread. Errors: archive_damaged, archive_unsupported
// for a newer format, and the visitor's own, each for good.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/tar_reader.h"

namespace sluice::postgres {

// Told what a payload holds, in its order.
class PayloadVisitor {
 public:
  virtual ~PayloadVisitor() = default;

  // The first; it lives as long as the reader.
  virtual absl::Status OnHead(const PayloadHead& head) = 0;
  virtual absl::Status AppendSchemaDump(absl::string_view bytes) = 0;
  virtual absl::Status EndSchemaDump() = 0;
  // A part of `size` bytes is about to be gathered: may wait for room.
  virtual absl::Status AwaitRoom(uint64_t size) = 0;
  // Rows of the table of this place in the head, whole ones if the source was
  // right; neither the header nor the trailer of a binary COPY.
  virtual absl::Status OnRows(size_t table, std::string rows) = 0;
  virtual absl::Status OnBlobs(const std::vector<PayloadBlob>& blobs) = 0;
  virtual absl::Status OnBlobPart(uint32_t oid, uint64_t part,
                                  std::string bytes) = 0;
  // The last.
  virtual absl::Status OnIndex(PayloadIndex index) = 0;
};

class PayloadReader : private TarVisitor {
 public:
  // Borrows `visitor`.
  explicit PayloadReader(PayloadVisitor& visitor)
      : visitor_(visitor), tar_(*this) {}

  absl::Status Feed(absl::string_view bytes) { return tar_.Feed(bytes); }
  // OK only after the index and the tar's own end.
  absl::Status Finish();

 private:
  struct TableProgress {
    uint64_t parts = 0;
    bool ended = false;  // its trailer was read
  };

  absl::Status BeginMember(absl::string_view name, uint64_t size) override;
  absl::Status AppendMember(absl::string_view bytes) override;
  absl::Status EndMember() override;

  absl::Status CheckOrder(const PayloadMember& member) const;
  absl::Status CheckSize(const PayloadMember& member, uint64_t size) const;
  absl::Status EndHead();
  absl::Status EndDataPart();
  absl::Status EndBlobBatch();
  absl::Status EndBlobPart();
  absl::Status EndIndex();
  absl::Status Damaged(absl::string_view what) const;

  PayloadVisitor& visitor_;
  TarReader tar_;
  std::string name_;  // of the current member
  PayloadMember member_;
  uint64_t size_ = 0;  // of it
  std::string gathered_;
  // The last member's, absent before the first.
  absl::optional<PayloadMember::Kind> previous_;
  PayloadHead head_;
  std::unordered_map<uint64_t, size_t> tables_;  // id to place in the head
  std::vector<TableProgress> progress_;
  uint64_t batches_ = 0;
  std::unordered_map<uint32_t, uint64_t> blob_parts_;  // of the current batch
  uint64_t blobs_ = 0;
  uint64_t all_blob_parts_ = 0;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_READER_H_
