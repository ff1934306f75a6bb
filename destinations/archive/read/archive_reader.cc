#include "sluice/destinations/archive/read/archive_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/thread.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/hash_beside.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/read/load.h"

namespace sluice {
namespace {

constexpr int kTries = 3;

// Puts all segments into the pipe, on the reader's thread.
class SegmentFeeder {
 public:
  SegmentFeeder(Context context, ObjectStore& store, const Manifest& manifest,
                Pipe& pipe)
      : context_(std::move(context)),
        store_(store),
        manifest_(manifest),
        pipe_(pipe) {}

  absl::Status Run() {
    for (const Segment& segment : manifest_.segments()) {
      SLUICE_RETURN_IF_ERROR(Feed(segment));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Feed(const Segment& segment) {
    uint64_t offset = 0;
    for (int tries = 0;;) {
      const uint64_t before = offset;
      const absl::Status status = FeedFrom(segment, offset);
      if (!MayPass(status)) return status;
      tries = offset > before ? 1 : tries + 1;
      if (tries >= kTries) return status;
    }
  }

  absl::Status FeedFrom(const Segment& segment, uint64_t& offset) {
    const std::string name = ObjectName(manifest_.backup_id(), segment.name());
    absl::StatusOr<std::unique_ptr<ObjectReader>> reader =
        store_.Open(context_, name, offset);
    if (absl::IsNotFound(reader.status())) {
      return ExplainMissing(context_, store_, manifest_.backup_id(),
                            segment.name());
    }
    if (!reader.ok()) return reader.status();
    while (offset < segment.size_bytes()) {
      SLUICE_ASSIGN_OR_RETURN(absl::Span<char> chunk, pipe_.Reserve());
      chunk = chunk.subspan(0, segment.size_bytes() - offset);
      SLUICE_ASSIGN_OR_RETURN(const size_t read, (*reader)->Read(chunk));
      if (read == 0) {
        return ArchiveDamaged(manifest_.backup_id(),
                              absl::StrCat(segment.name(), " is truncated"));
      }
      SLUICE_RETURN_IF_ERROR(pipe_.Commit(read));
      offset += read;
    }
    char extra = 0;
    SLUICE_ASSIGN_OR_RETURN(const size_t read,
                            (*reader)->Read(absl::MakeSpan(&extra, 1)));
    if (read == 0) return absl::OkStatus();
    return ArchiveDamaged(manifest_.backup_id(),
                          absl::StrCat(segment.name(), " is too long"));
  }

  const Context context_;
  ObjectStore& store_;
  const Manifest& manifest_;
  Pipe& pipe_;
};

PayloadTrailer TrailerOf(const Manifest& manifest) {
  PayloadTrailer trailer;
  trailer.counts.insert(manifest.source_counts().begin(),
                        manifest.source_counts().end());
  trailer.metadata.insert(manifest.engine_metadata().begin(),
                          manifest.engine_metadata().end());
  trailer.size_bytes = manifest.plain_size_bytes();
  if (!absl::SimpleHexAtoi(manifest.plain_xxh3(), &trailer.xxh3))
    trailer.xxh3 = 0;  // never: a manifest's is checked when it is parsed
  trailer.payload_id_count = manifest.payload_id_count();
  for (const Warning& warning : manifest.warnings()) {
    trailer.warnings.push_back({warning.code(), warning.message()});
  }
  return trailer;
}

class ArchiveReader final : public PayloadReader {
 public:
  ArchiveReader(const Context& context, std::shared_ptr<ObjectStore> store,
                const Manifest& manifest, std::unique_ptr<Pipe> pipe)
      : context_(context),
        store_(std::move(store)),
        manifest_(manifest),
        trailer_(TrailerOf(manifest)),
        pipe_(std::move(pipe)) {}

  // Once, before all else.
  absl::Status Start() {
    SLUICE_ASSIGN_OR_RETURN(hash_,
                            HashBeside::Start([this] { pipe_->Release(); }));
    left_ = manifest_.segments(0).size_bytes();
    EndFinishedSegments();
    auto [child, cancel] = Context::WithCancel(context_);
    cancel_ = std::move(cancel);
    cancelled_ = child.OnDone(
        [this](const absl::Status& cause) { pipe_->Cancel(cause); });
    SLUICE_ASSIGN_OR_RETURN(
        thread_, Thread::Start("read ahead", [this, reading = child] {
          pipe_->CloseWrite(
              SegmentFeeder(reading, *store_, manifest_, *pipe_).Run());
        }));
    return absl::OkStatus();
  }

  ~ArchiveReader() override {
    const absl::Status gone =
        absl::CancelledError("the payload is no longer read");
    pipe_->CloseRead(gone);
    if (cancel_) cancel_(gone);
    thread_.Join();
  }

  absl::StatusOr<absl::string_view> Next() override {
    if (!end_.ok()) return end_;
    hash_->AwaitFewerThan(pipe_->options().chunks - 1);
    absl::StatusOr<absl::string_view> view = pipe_->Next();
    if (view.ok() && !view->empty()) {
      Hash(*view);
      end_ = CheckDigests(/*all=*/false);
    } else {
      end_ = view.ok() ? CheckDigests(/*all=*/true) : view.status();
    }
    if (!end_.ok()) return end_;
    return view;
  }

  void Release() override { hash_->Done(); }

  // The hash holds views too: half for it, half for the caller.
  size_t max_views() const override {
    return std::max<size_t>(2, pipe_->options().chunks / 2);
  }

  const PayloadTrailer& trailer() const override { return trailer_; }

  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override {
    return StreamPayloadIds(context_, *store_, manifest_, callback);
  }

 private:
  void Hash(absl::string_view view) {
    while (!view.empty()) {
      const absl::string_view piece = view.substr(0, left_);
      view.remove_prefix(piece.size());
      hash_->Add(piece, /*ends_view=*/view.empty());
      left_ -= piece.size();
      EndFinishedSegments();
    }
  }

  void EndFinishedSegments() {
    while (left_ == 0 && segment_ < manifest_.segments_size()) {
      hash_->EndSegment();
      ++segment_;
      if (segment_ < manifest_.segments_size())
        left_ = manifest_.segments(segment_).size_bytes();
    }
  }

  // Compares the digests that are known; with `all` waits for every one.
  absl::Status CheckDigests(bool all) {
    for (; checked_ < manifest_.segments_size(); ++checked_) {
      const std::string digest =
          all ? hash_->Digest(checked_) : hash_->DigestIfKnown(checked_);
      if (digest.empty()) return absl::OkStatus();
      const Segment& segment = manifest_.segments(checked_);
      if (ToHex(digest) != segment.sha256()) {
        return ArchiveDamaged(
            manifest_.backup_id(),
            absl::StrCat(segment.name(), ": SHA-256 mismatch"));
      }
    }
    return absl::OkStatus();
  }

  const Context context_;
  const std::shared_ptr<ObjectStore> store_;
  const Manifest manifest_;
  const PayloadTrailer trailer_;
  const std::unique_ptr<Pipe> pipe_;
  std::unique_ptr<HashBeside> hash_;
  Context::CancelFunction cancel_;
  Context::Registration cancelled_;
  Thread thread_;
  absl::Status end_;   // of Next, for good
  uint64_t left_ = 0;  // of the segment that is being hashed
  int segment_ = 0;    // the one being hashed
  int checked_ = 0;    // segments whose digest was right
};

}  // namespace

absl::StatusOr<std::unique_ptr<PayloadReader>> OpenArchivePayload(
    const Context& context, std::shared_ptr<ObjectStore> store,
    const Manifest& manifest, const PipeOptions& read_ahead) {
  PipeOptions options = read_ahead;
  options.chunks = std::max<size_t>(options.chunks, 4);
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Pipe> pipe, Pipe::Create(options));
  auto reader = std::make_unique<ArchiveReader>(context, std::move(store),
                                                manifest, std::move(pipe));
  SLUICE_RETURN_IF_ERROR(reader->Start());
  return reader;
}

}  // namespace sluice
