#include "sluice/executor/stream/payload_stream.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/exclusive_use.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/text/utf8.h"
#include "sluice/executor/limits.h"
#include "sluice/executor/printable.h"
#include "sluice/executor/stream/index_spool.h"

namespace sluice {
namespace {

struct FreeXxh3 {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};
using Xxh3State = std::unique_ptr<XXH3_state_t, FreeXxh3>;

Xxh3State NewXxh3() {
  Xxh3State state(XXH3_createState());
  if (state != nullptr) XXH3_64bits_reset(state.get());
  return state;
}

absl::Status Misuse(absl::string_view message) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kSourceFailed,
                   message);
}

absl::Status BadValue(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, kSourceFailed, message);
}

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  if (name.empty() || name.size() > kMaxMetadataNameBytes || !IsUtf8(name) ||
      std::any_of(name.begin(), name.end(), absl::ascii_iscntrl)) {
    return BadValue(absl::StrCat(what, " must be 1 to ", kMaxMetadataNameBytes,
                                 " bytes of UTF-8 without control bytes"));
  }
  return absl::OkStatus();
}

// A source's own error, with a word for machines. A cancel that we did not ask
// for is the store's own abort.
absl::Status SourceError(const absl::Status& status) {
  const bool aborted = status.code() == absl::StatusCode::kAborted ||
                       status.code() == absl::StatusCode::kCancelled;
  return WithDefaultErrorCode(status, aborted ? kSourceAborted : kSourceFailed);
}

}  // namespace

struct PayloadStream::Shared {
  Shared(std::unique_ptr<Pipe> p, const Options& options,
         std::shared_ptr<FirstCause> c);

  std::unique_ptr<Pipe> pipe;
  const bool allow_empty;
  const bool on_base;
  const std::shared_ptr<FirstCause> cause;

  // Written by the source's thread, read by the destination's after the pipe
  // gave its end.
  PayloadIdSpool ids;
  IndexSpool index;
  PayloadTrailer trailer;

  std::atomic<uint64_t> estimate{0};
  WarningList warnings;

  std::unique_ptr<Sink> sink;
  std::unique_ptr<Reader> reader;
  // Last, so that it goes first: its callback uses the pipe.
  Context::Registration on_stopped;
};

class PayloadStream::Sink final : public PayloadSink {
 public:
  explicit Sink(Shared* shared) : shared_(*shared), xxh3_(NewXxh3()) {}

  bool has_memory() const { return xxh3_ != nullptr; }

  absl::Status Write(absl::string_view bytes) override {
    const ExclusiveUse::Turn turn(use_);
    SLUICE_RETURN_IF_ERROR(CheckMayWrite(turn, "write"));
    XXH3_64bits_update(xxh3_.get(), bytes.data(), bytes.size());
    size_bytes_ += bytes.size();
    return shared_.pipe->Write(bytes);
  }

  absl::StatusOr<absl::Span<char>> Reserve() override {
    const ExclusiveUse::Turn turn(use_);
    SLUICE_RETURN_IF_ERROR(CheckMayWrite(turn, "reserve"));
    absl::StatusOr<absl::Span<char>> chunk = shared_.pipe->Reserve();
    if (chunk.ok()) reserved_ = *chunk;
    return chunk;
  }

  absl::Status Commit(size_t bytes) override {
    const ExclusiveUse::Turn turn(use_);
    SLUICE_RETURN_IF_ERROR(CheckOpen(turn, "commit"));
    if (ABSL_PREDICT_FALSE(reserved_.data() == nullptr)) {
      return Fail(Misuse("commit without reserve"));
    }
    if (ABSL_PREDICT_FALSE(bytes > reserved_.size())) {
      return Fail(Misuse(absl::StrCat(
          "commit of ", bytes, " bytes in a chunk of ", reserved_.size())));
    }
    XXH3_64bits_update(xxh3_.get(), reserved_.data(), bytes);
    size_bytes_ += bytes;
    reserved_ = absl::Span<char>();
    return shared_.pipe->Commit(bytes);
  }

  absl::Status AddPayloadIds(absl::Span<const absl::string_view> ids) override {
    const ExclusiveUse::Turn turn(use_);
    SLUICE_RETURN_IF_ERROR(CheckOpen(turn, "add payload ids"));
    SLUICE_RETURN_IF_ERROR(Poll());
    for (const absl::string_view id : ids) {
      if (absl::Status status = shared_.ids.Add(id); !status.ok()) {
        return Fail(status.code() == absl::StatusCode::kInvalidArgument
                        ? WithDefaultErrorCode(status, kSourceFailed)
                        : status);
      }
    }
    return absl::OkStatus();
  }

  absl::Status SetMetadata(absl::string_view key,
                           absl::string_view value) override {
    const ExclusiveUse::Turn turn(use_);
    SLUICE_RETURN_IF_ERROR(CheckOpen(turn, "set metadata"));
    if (absl::Status bad = CheckName("metadata key", key); !bad.ok()) {
      return Fail(bad);
    }
    const auto [entry, added] = metadata_.try_emplace(std::string(key));
    if (added) metadata_bytes_ += key.size();
    metadata_bytes_ += value.size();
    metadata_bytes_ -= entry->second.size();
    if (metadata_bytes_ <= kMaxMetadataBytes &&
        metadata_.size() <= kMaxMetadataEntries) {
      entry->second = std::string(value);
      return absl::OkStatus();
    }
    return Fail(
        BadValue(absl::StrCat("metadata of more than ", kMaxMetadataBytes,
                              " bytes or ", kMaxMetadataEntries, " keys")));
  }

  void SetEstimate(uint64_t bytes) override {
    const ExclusiveUse::Turn turn(use_);
    if (!CheckOpen(turn, "set estimate").ok()) return;
    shared_.estimate.store(bytes, std::memory_order_relaxed);
  }

  void AddWarning(absl::string_view code, absl::string_view message) override {
    const ExclusiveUse::Turn turn(use_);
    if (!CheckOpen(turn, "add warning").ok()) return;
    shared_.warnings.AddWarning(code, message);
  }

  absl::Status End(const SourceCounts& counts) override {
    const ExclusiveUse::Turn turn(use_);
    SLUICE_RETURN_IF_ERROR(CheckMayWrite(turn, "end"));
    SLUICE_RETURN_IF_ERROR(Poll());
    if (counts.size() > kMaxCounts) {
      return Fail(BadValue(absl::StrCat("more than ", kMaxCounts, " counts")));
    }
    for (const auto& count : counts) {
      if (absl::Status bad = CheckName("name of a count", count.first);
          !bad.ok()) {
        return Fail(bad);
      }
    }
    counts_ = counts;
    ended_ = true;
    return absl::OkStatus();
  }

  absl::Status Poll() const override {
    return shared_.cause->stopped().status();
  }

  bool keeps_index() const override { return true; }

  absl::Status WriteIndex(absl::string_view bytes) override {
    const ExclusiveUse::Turn turn(use_);
    SLUICE_RETURN_IF_ERROR(CheckOpen(turn, "write the index"));
    SLUICE_RETURN_IF_ERROR(Poll());
    const absl::Status status = shared_.index.Append(bytes);
    return status.ok() ? status : Fail(status);
  }

  // OK only where the stream is whole. The source has returned. From here on
  // every call is refused.
  absl::Status Judge(const absl::Status& returned) {
    CloseUse();
    SLUICE_RETURN_IF_ERROR(failed());
    if (!returned.ok()) return SourceError(returned);
    SLUICE_RETURN_IF_ERROR(Poll());
    if (!ended_) {
      return MakeError(absl::StatusCode::kDataLoss, kSourceIncomplete,
                       "the source returned success without calling End()");
    }
    const bool counted =
        std::any_of(counts_.begin(), counts_.end(),
                    [](const auto& count) { return count.second > 0; });
    // A payload may have a header and an end even where it holds nothing: then
    // its counts say so.
    const bool nothing = size_bytes_ == 0 || !counts_.empty();
    if (nothing && !counted && !MayBeEmpty()) {
      return WithHint(
          MakeError(absl::StatusCode::kFailedPrecondition, kSourceEmpty,
                    "the source counted nothing"),
          "allow an empty backup if the store is meant to be empty");
    }
    return shared_.ids.Finish([this] { return Poll(); });
  }

  // After Judge said OK.
  PayloadTrailer TakeTrailer() {
    PayloadTrailer trailer;
    trailer.counts = std::move(counts_);
    trailer.metadata = std::move(metadata_);
    trailer.size_bytes = size_bytes_;
    trailer.xxh3 = XXH3_64bits_digest(xxh3_.get());
    trailer.payload_id_count = shared_.ids.count();
    trailer.warnings = shared_.warnings.All();
    return trailer;
  }

 private:
  bool MayBeEmpty() const {
    if (shared_.allow_empty) return true;
    const auto full = metadata_.find(kStreamedFullKey);
    return shared_.on_base && (full == metadata_.end() || full->second != "1");
  }

  absl::Status CheckOpen(const ExclusiveUse::Turn& turn,
                         absl::string_view call) {
    if (ABSL_PREDICT_FALSE(!turn.entered())) {
      return Fail(Misuse(absl::StrCat(
          call, turn.closed() ? " after the source had returned"
                              : " while another thread used the sink: calls "
                                "must come one at a time")));
    }
    if (ABSL_PREDICT_FALSE(has_failed_.load(std::memory_order_acquire))) {
      return failed();
    }
    if (ABSL_PREDICT_FALSE(ended_)) {
      return Fail(Misuse(absl::StrCat(call, " after the end")));
    }
    return absl::OkStatus();
  }

  absl::Status CheckMayWrite(const ExclusiveUse::Turn& turn,
                             absl::string_view call) {
    SLUICE_RETURN_IF_ERROR(CheckOpen(turn, call));
    if (ABSL_PREDICT_FALSE(reserved_.data() != nullptr)) {
      return Fail(Misuse(absl::StrCat(call, " between reserve and commit")));
    }
    return absl::OkStatus();
  }

  // A thread that the source left in a call would go on in what ends with the
  // run. The failure ends the pipe, and so the call.
  void CloseUse() {
    if (use_.TryClose()) return;
    Fail(Misuse("the source returned while a thread of its used the sink"))
        .IgnoreError();
    use_.Close();
  }

  // The run is lost, also where the source goes on and says all is well. On any
  // thread.
  absl::Status Fail(absl::Status status) {
    {
      MutexLock lock(failed_mutex_);
      if (failed_.ok()) failed_ = DeepCopy(status);
    }
    has_failed_.store(true, std::memory_order_release);
    shared_.cause->Set(FirstCause::Party::kSource, status);
    return status;
  }

  absl::Status failed() {
    MutexLock lock(failed_mutex_);
    return DeepCopy(failed_);
  }

  Shared& shared_;
  // Guards all that has no guard of its own.
  ExclusiveUse use_;
  const Xxh3State xxh3_;
  uint64_t size_bytes_ = 0;
  absl::Span<char> reserved_;
  SourceCounts counts_;
  EngineMetadata metadata_;
  size_t metadata_bytes_ = 0;
  bool ended_ = false;
  std::atomic<bool> has_failed_{false};
  Mutex failed_mutex_;
  absl::Status failed_ ABSL_GUARDED_BY(failed_mutex_);
};

class PayloadStream::Reader final : public PayloadReader {
 public:
  explicit Reader(Shared* shared) : shared_(*shared), xxh3_(NewXxh3()) {}

  bool has_memory() const { return xxh3_ != nullptr; }

  absl::StatusOr<absl::string_view> Next() override {
    absl::StatusOr<absl::string_view> view = shared_.pipe->Next();
    if (!view.ok()) return view;
    if (view->empty()) {
      SLUICE_RETURN_IF_ERROR(CheckEnd());
      at_end_ = true;
      return view;
    }
    XXH3_64bits_update(xxh3_.get(), view->data(), view->size());
    if (on_bytes_) on_bytes_(shared_.pipe->bytes_read());
    return view;
  }

  void Release() override { shared_.pipe->Release(); }

  size_t max_views() const override {
    return shared_.pipe->options().chunks - 1;
  }

  const PayloadTrailer& trailer() const override { return shared_.trailer; }

  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override {
    return shared_.ids.ForEach(callback);
  }

  uint64_t index_bytes() const override { return shared_.index.size(); }

  absl::Status ForEachIndexChunk(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override {
    return shared_.index.ForEachChunk(callback);
  }

  bool at_end() const { return at_end_; }
  void OnBytes(std::function<void(uint64_t)> callback) {
    on_bytes_ = std::move(callback);
  }

 private:
  // What the restore will compare is compared before the publish: no archive is
  // told as succeeded that its own verify refuses.
  absl::Status CheckEnd() {
    const PayloadTrailer& sent = shared_.trailer;
    const uint64_t size = shared_.pipe->bytes_read();
    const uint64_t xxh3 = XXH3_64bits_digest(xxh3_.get());
    if (size == sent.size_bytes && xxh3 == sent.xxh3) return absl::OkStatus();
    const absl::Status status = WithHint(
        MakeError(absl::StatusCode::kDataLoss, kSourceFailed,
                  absl::StrCat("checksum mismatch between the source and the "
                               "destination: ",
                               size, " bytes with XXH3 ",
                               absl::Hex(xxh3, absl::kZeroPad16),
                               " arrived of ", sent.size_bytes, " with ",
                               absl::Hex(sent.xxh3, absl::kZeroPad16))),
        "the source changed bytes after it had handed them over, or memory is "
        "faulty");
    shared_.cause->Set(FirstCause::Party::kSource, status);
    return status;
  }

  Shared& shared_;
  const Xxh3State xxh3_;
  std::function<void(uint64_t)> on_bytes_;
  bool at_end_ = false;
};

PayloadStream::Shared::Shared(std::unique_ptr<Pipe> p, const Options& options,
                              std::shared_ptr<FirstCause> c)
    : pipe(std::move(p)),
      allow_empty(options.allow_empty),
      on_base(options.on_base),
      cause(std::move(c)),
      ids(options.ids),
      index(options.ids.scratch_dir, options.ids.file_system),
      sink(std::make_unique<Sink>(this)),
      reader(std::make_unique<Reader>(this)) {
  on_stopped = cause->stopped().OnDone(
      [this](const absl::Status& status) { pipe->Cancel(status); });
}

PayloadStream::PayloadStream(std::unique_ptr<Shared> shared)
    : shared_(std::move(shared)) {}

PayloadStream::~PayloadStream() = default;

absl::StatusOr<std::unique_ptr<PayloadStream>> PayloadStream::Create(
    const Options& options, std::shared_ptr<FirstCause> cause) {
  // A reader must be able to hold two views while the source fills a chunk.
  if (options.pipe.chunks < 3) {
    return absl::InvalidArgumentError("a pipe of a run has 3 chunks or more");
  }
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Pipe> pipe,
                          Pipe::Create(options.pipe));
  auto shared =
      std::make_unique<Shared>(std::move(pipe), options, std::move(cause));
  if (!shared->sink->has_memory() || !shared->reader->has_memory()) {
    return absl::ResourceExhaustedError("no memory for a checksum");
  }
  return std::unique_ptr<PayloadStream>(new PayloadStream(std::move(shared)));
}

PayloadSink& PayloadStream::sink() { return *shared_->sink; }

PayloadReader& PayloadStream::reader() { return *shared_->reader; }

void PayloadStream::SourceReturned(const absl::Status& status) {
  const absl::Status judged = shared_->sink->Judge(status);
  if (judged.ok()) {
    shared_->trailer = shared_->sink->TakeTrailer();
    shared_->pipe->CloseWrite(absl::OkStatus());
    return;
  }
  // Ends the pipe too, through on_stopped.
  shared_->cause->Set(FirstCause::Party::kSource, judged);
}

void PayloadStream::OnBytes(std::function<void(uint64_t)> callback) {
  shared_->reader->OnBytes(std::move(callback));
}

bool PayloadStream::reader_at_end() const { return shared_->reader->at_end(); }

uint64_t PayloadStream::estimate() const {
  return shared_->estimate.load(std::memory_order_relaxed);
}

std::vector<PayloadWarning> PayloadStream::warnings() const {
  return shared_->warnings.All();
}

}  // namespace sluice
