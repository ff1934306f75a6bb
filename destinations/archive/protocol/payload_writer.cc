#include "sluice/destinations/archive/protocol/payload_writer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/hash_beside.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/executor/limits.h"

namespace sluice {
namespace {

constexpr size_t kIdBufferBytes = size_t{256} << 10;

// Commits `writer`; an unknown outcome is settled by reading the object back.
absl::Status CommitDigested(const ArchiveTarget& target, ObjectWriter& writer,
                            absl::string_view name, uint64_t size,
                            const std::function<std::string()>& sha256) {
  target.written.push_back(std::string(name));
  const CommitOutcome outcome = Settle(
      writer.Commit(CommitMode::kIfAbsent), [&]() -> absl::StatusOr<bool> {
        SLUICE_ASSIGN_OR_RETURN(
            const ObjectDigest found,
            DigestObject(target.context, target.store, name));
        return found.size == size && found.sha256 == sha256();
      });
  // What another has put there is not ours to delete.
  if (outcome.kind == CommitOutcome::kTaken) target.written.pop_back();
  return outcome.status;
}

// Cuts the payload's views into segments.
class SegmentWriter {
 public:
  SegmentWriter(const ArchiveTarget& target, uint64_t segment_bytes,
                HashBeside& hash)
      : target_(target), segment_bytes_(segment_bytes), hash_(hash) {}

  absl::Status Write(absl::string_view view) {
    while (!view.empty()) {
      if (size_ == segment_bytes_) SLUICE_RETURN_IF_ERROR(End());
      SLUICE_RETURN_IF_ERROR(BeginIfNone());
      const absl::string_view piece = view.substr(0, segment_bytes_ - size_);
      view.remove_prefix(piece.size());
      hash_.Add(piece, /*ends_view=*/view.empty());
      SLUICE_RETURN_IF_ERROR(writer_->Write(piece));
      size_ += piece.size();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Segment>> Finish() {
    SLUICE_RETURN_IF_ERROR(BeginIfNone());
    SLUICE_RETURN_IF_ERROR(End());
    for (size_t i = 0; i < segments_.size(); ++i) {
      segments_[i].set_sha256(ToHex(hash_.Digest(i)));
    }
    return std::move(segments_);
  }

 private:
  absl::Status BeginIfNone() {
    if (writer_ != nullptr) return absl::OkStatus();
    if (segments_.size() >= static_cast<size_t>(kMaxSegments)) {
      return WithHint(
          MakeError(absl::StatusCode::kOutOfRange, kDestinationTooLarge,
                    absl::StrCat("more than ", kMaxSegments, " segments of ",
                                 segment_bytes_, " bytes")),
          "choose larger segments");
    }
    SLUICE_ASSIGN_OR_RETURN(writer_,
                            target_.store.Begin(target_.context, Name(), 0));
    return absl::OkStatus();
  }

  absl::Status End() {
    hash_.EndSegment();
    const size_t index = segments_.size();
    SLUICE_RETURN_IF_ERROR(
        CommitDigested(target_, *writer_, Name(), size_,
                       [&] { return ToHex(hash_.Digest(index)); }));
    Segment segment;
    segment.set_name(SegmentFile(index));
    segment.set_size_bytes(size_);
    segments_.push_back(std::move(segment));
    writer_.reset();
    size_ = 0;
    return absl::OkStatus();
  }

  std::string Name() const {
    return ObjectName(target_.backup_id, SegmentFile(segments_.size()));
  }

  const ArchiveTarget& target_;
  const uint64_t segment_bytes_;
  HashBeside& hash_;
  std::unique_ptr<ObjectWriter> writer_;  // destroyed without Commit: aborted
  uint64_t size_ = 0;                     // of the segment under way
  std::vector<Segment> segments_;
};

// One id a line, ascending, distinct; hashed as it goes.
class IdsWriter {
 public:
  explicit IdsWriter(const ArchiveTarget& target)
      : target_(target), name_(ObjectName(target.backup_id, kPayloadIdsFile)) {}

  absl::Status Add(absl::string_view id) {
    if (!IsPayloadId(id) || (count_ > 0 && id <= absl::string_view(last_))) {
      return MakeError(absl::StatusCode::kInternal, kInternal,
                       "payload ids are not valid, ascending and distinct");
    }
    last_ = std::string(id);
    ++count_;
    absl::StrAppend(&buffer_, id, "\n");
    return buffer_.size() < kIdBufferBytes ? absl::OkStatus() : Flush();
  }

  absl::StatusOr<StoredIds> Finish() {
    if (count_ == 0) return StoredIds();
    SLUICE_RETURN_IF_ERROR(Flush());
    StoredIds ids{count_, size_, ToHex(hash_.Finish())};
    SLUICE_RETURN_IF_ERROR(CommitDigested(target_, *writer_, name_, size_,
                                          [&] { return ids.sha256; }));
    return ids;
  }

 private:
  absl::Status Flush() {
    if (writer_ == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(writer_,
                              target_.store.Begin(target_.context, name_, 0));
    }
    hash_.Update(buffer_);
    size_ += buffer_.size();
    SLUICE_RETURN_IF_ERROR(writer_->Write(buffer_));
    buffer_.clear();
    return absl::OkStatus();
  }

  const ArchiveTarget& target_;
  const std::string name_;
  std::unique_ptr<ObjectWriter> writer_;
  Sha256 hash_;
  std::string buffer_;
  std::string last_;
  uint64_t count_ = 0;
  uint64_t size_ = 0;
};

}  // namespace

bool IsPayloadId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxPayloadIdBytes &&
         std::none_of(id.begin(), id.end(),
                      [](char c) { return absl::ascii_iscntrl(c); });
}

absl::StatusOr<std::vector<Segment>> WriteSegments(const ArchiveTarget& target,
                                                   uint64_t segment_bytes,
                                                   PayloadReader& payload) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<HashBeside> hash,
                          HashBeside::Start([&payload] { payload.Release(); }));
  SegmentWriter segments(target, segment_bytes, *hash);
  while (true) {
    SLUICE_RETURN_IF_ERROR(target.context.status());
    hash->AwaitFewerThan(payload.max_views());
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view view, payload.Next());
    if (view.empty()) {
      absl::StatusOr<std::vector<Segment>> finished = segments.Finish();
      if (finished.ok()) hash->AwaitFewerThan(1);  // gives back the last views
      return finished;
    }
    SLUICE_RETURN_IF_ERROR(segments.Write(view));
    hash->Done();
  }
}

absl::StatusOr<StoredIds> WritePayloadIds(const ArchiveTarget& target,
                                          const PayloadReader& payload) {
  IdsWriter ids(target);
  const absl::Status status =
      payload.ForEachPayloadId([&](absl::string_view id) -> absl::Status {
        if (target.context.done()) return target.context.status();
        return ids.Add(id);
      });
  if (!status.ok()) return status;
  return ids.Finish();
}

absl::StatusOr<StoredIndex> WriteIndex(const ArchiveTarget& target,
                                       uint64_t most,
                                       const PayloadReader& payload) {
  StoredIndex index;
  const uint64_t size = payload.index_bytes();
  if (size == 0 || (most != 0 && size > most)) return index;
  const std::string name = ObjectName(target.backup_id, kIndexFile);
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectWriter> writer,
                          target.store.Begin(target.context, name, size));
  Sha256 hash;
  SLUICE_RETURN_IF_ERROR(
      payload.ForEachIndexChunk([&](absl::string_view bytes) -> absl::Status {
        SLUICE_RETURN_IF_ERROR(target.context.status());
        hash.Update(bytes);
        index.size += bytes.size();
        return writer->Write(bytes);
      }));
  index.sha256 = ToHex(hash.Finish());
  SLUICE_RETURN_IF_ERROR(CommitDigested(target, *writer, name, index.size,
                                        [&] { return index.sha256; }));
  return index;
}

}  // namespace sluice
