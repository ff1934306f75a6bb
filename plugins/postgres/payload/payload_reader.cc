#include "sluice/plugins/postgres/payload/payload_reader.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::postgres {
namespace {

using Kind = PayloadMember::Kind;

// A part is held whole, but no memory is taken on a header's word alone.
constexpr uint64_t kTrustedBytes = 2 * kBlobPartBytes;

bool IsGathered(Kind kind) {
  return kind != Kind::kSchemaDump && kind != Kind::kSchemaSql;
}

bool IsDocument(Kind kind) {
  return kind == Kind::kHead || kind == Kind::kBlobBatch ||
         kind == Kind::kIndex;
}

}  // namespace

absl::Status PayloadReader::Finish() {
  SLUICE_RETURN_IF_ERROR(tar_.Finish());
  if (previous_ != Kind::kIndex) return Damaged("it has no index");
  return absl::OkStatus();
}

absl::Status PayloadReader::BeginMember(absl::string_view name, uint64_t size) {
  name_ = std::string(name);
  const absl::optional<PayloadMember> member = ParseMemberName(name);
  if (!member.has_value()) return Damaged("a member that no payload has");
  member_ = *member;
  size_ = size;
  SLUICE_RETURN_IF_ERROR(CheckOrder(*member));
  SLUICE_RETURN_IF_ERROR(CheckSize(*member, size));
  gathered_ = std::string();
  if (!IsGathered(member->kind)) return absl::OkStatus();
  if (!IsDocument(member->kind)) {
    SLUICE_RETURN_IF_ERROR(visitor_.AwaitRoom(size));
  }
  gathered_.reserve(static_cast<size_t>(std::min(size, kTrustedBytes)));
  return absl::OkStatus();
}

absl::Status PayloadReader::CheckOrder(const PayloadMember& member) const {
  bool right = false;
  switch (member.kind) {
    case Kind::kHead:
      right = !previous_.has_value();
      break;
    case Kind::kSchemaDump:
      right = previous_ == Kind::kHead;
      break;
    case Kind::kSchemaSql:
      right = previous_ == Kind::kSchemaDump;
      break;
    default:
      right = previous_.has_value() && previous_ != Kind::kHead &&
              previous_ != Kind::kSchemaDump && previous_ != Kind::kIndex;
      break;
  }
  return right ? absl::OkStatus() : Damaged("a member out of its order");
}

absl::Status PayloadReader::CheckSize(const PayloadMember& member,
                                      uint64_t size) const {
  if (IsDocument(member.kind)
          ? size > kMaxDocumentBytes
          : IsGathered(member.kind) && (size == 0 || size > kMaxPartBytes)) {
    return Damaged(absl::StrCat("a member of ", size, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status PayloadReader::AppendMember(absl::string_view bytes) {
  if (member_.kind == Kind::kSchemaSql) return absl::OkStatus();
  if (member_.kind == Kind::kSchemaDump) {
    return visitor_.AppendSchemaDump(bytes);
  }
  // So much has come that the rest may be believed; one large row must not cost
  // its size twice while a string grows.
  if (gathered_.size() + bytes.size() > gathered_.capacity()) {
    gathered_.reserve(static_cast<size_t>(size_));
  }
  gathered_.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status PayloadReader::EndMember() {
  previous_ = member_.kind;
  switch (member_.kind) {
    case Kind::kHead:
      return EndHead();
    case Kind::kSchemaDump:
      return visitor_.EndSchemaDump();
    case Kind::kSchemaSql:
      return absl::OkStatus();
    case Kind::kDataPart:
      return EndDataPart();
    case Kind::kBlobBatch:
      return EndBlobBatch();
    case Kind::kBlobPart:
      return EndBlobPart();
    case Kind::kIndex:
      return EndIndex();
  }
  return absl::OkStatus();
}

absl::Status PayloadReader::EndHead() {
  SLUICE_ASSIGN_OR_RETURN(head_, ParseHead(gathered_));
  progress_.resize(head_.tables.size());
  for (size_t i = 0; i < head_.tables.size(); ++i) {
    tables_.emplace(head_.tables[i].id, i);
  }
  return visitor_.OnHead(head_);
}

absl::Status PayloadReader::EndDataPart() {
  const auto found = tables_.find(member_.id);
  if (found == tables_.end()) return Damaged("a table that the head has not");
  TableProgress& progress = progress_[found->second];
  if (member_.part != progress.parts || progress.ended) {
    return Damaged("a part out of its order");
  }
  ++progress.parts;
  if (head_.tables[found->second].format == CopyFormat::kBinary) {
    if ((member_.part == 0) != (gathered_ == kCopyHeader)) {
      return Damaged("the header of a binary COPY is missing or misplaced");
    }
    progress.ended = gathered_ == kCopyTrailer;
    if (member_.part == 0 || progress.ended) return absl::OkStatus();
  }
  return visitor_.OnRows(found->second, std::move(gathered_));
}

absl::Status PayloadReader::EndBlobBatch() {
  if (member_.id != batches_) return Damaged("a batch out of its order");
  ++batches_;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PayloadBlob> blobs,
                          ParseBlobBatch(gathered_));
  blob_parts_.clear();
  for (const PayloadBlob& blob : blobs) {
    if (!blob_parts_.emplace(blob.oid, 0).second) {
      return Damaged(absl::StrCat("large object ", blob.oid, " twice"));
    }
  }
  blobs_ += blobs.size();
  return visitor_.OnBlobs(blobs);
}

absl::Status PayloadReader::EndBlobPart() {
  const auto oid = static_cast<uint32_t>(member_.id);
  const auto found = blob_parts_.find(oid);
  if (found == blob_parts_.end()) {
    return Damaged("a large object that its batch has not");
  }
  if (member_.part != found->second) return Damaged("a part out of its order");
  ++found->second;
  ++all_blob_parts_;
  return visitor_.OnBlobPart(oid, member_.part, std::move(gathered_));
}

absl::Status PayloadReader::EndIndex() {
  SLUICE_ASSIGN_OR_RETURN(PayloadIndex index, ParseIndex(gathered_));
  if (index.tables.size() != head_.tables.size()) {
    return Damaged("it has other tables than the head");
  }
  for (size_t i = 0; i < index.tables.size(); ++i) {
    const PayloadTable& table = head_.tables[i];
    const bool ended = table.format == CopyFormat::kText || progress_[i].ended;
    if (index.tables[i].id != table.id ||
        index.tables[i].parts != progress_[i].parts || !ended) {
      return Damaged(absl::StrCat("not all parts of table ", table.schema, ".",
                                  table.name, " are there"));
    }
  }
  if (index.blobs.count != blobs_ || index.blobs.parts != all_blob_parts_) {
    return Damaged("not all large objects are there");
  }
  return visitor_.OnIndex(std::move(index));
}

absl::Status PayloadReader::Damaged(absl::string_view what) const {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("payload of a PostgreSQL database, member ",
                                name_, ": ", what));
}

}  // namespace sluice::postgres
