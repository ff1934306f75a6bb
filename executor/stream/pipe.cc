#include "sluice/executor/stream/pipe.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"

// How it works
// ------------
// Positions are counts of bytes since the beginning; a position's place in the
// ring is the count modulo the ring's size. They only grow:
//
//   released <= taken <= written <= released + capacity
//
// The writer alone advances `written`, the reader `taken`, the releaser
// `released`. The writer tells its position twice: `published` every
// kPublishBytes, which a running reader polls, and `written` after every write,
// which a reader looks at only after a moment in vain, and before it sleeps. So
// small writes don't drag a cache line back and forth, and nothing written is
// ever hidden from a reader that waits.
//
// Sleeping is Dekker's pattern: a sleeper sets its flag and then looks at the
// position once more; the other side advances the position and then looks at
// the flag. All four are sequentially consistent, so at least one side sees
// the other's step, and the system call to wake is made for sleepers only.
//
// A writer sleeps until half of the ring is free, so that it is woken rarely
// and then works for long; or until a whole chunk is free and the reader waits.
// That can't deadlock: a reader holds at most chunks - 1 views of at most one
// chunk each, so when it has taken everything and waits, a chunk is free.
//
// The ring lies on huge pages where the kernel has them: a hash that reads a
// few MiB behind the writer otherwise spends its time on address translation.

namespace sluice {
namespace {

constexpr size_t kMinChunkBytes = size_t{4} << 10;
constexpr size_t kMaxChunkBytes = size_t{64} << 20;
constexpr size_t kMinChunks = 2;
constexpr size_t kMaxChunks = 1024;
// A piece of a large write: small enough to stay in the second-level cache on
// its way to the reader, large enough to pay for the hand-over.
constexpr size_t kPublishBytes = size_t{32} << 10;
// Two lines, as processors prefetch in pairs.
constexpr size_t kLineBytes = 128;
// Bounds of the spin before a sleep, in pauses of some 10 to 40 ns. A sleep
// that ends sooner than a long spin would have been better spent spinning.
constexpr int kMinSpins = 128;
constexpr int kMaxSpins = 512;
constexpr std::chrono::microseconds kShortSleep{100};
// A spinning reader looks this often, in pauses, for writes that are not
// published yet.
constexpr int kPeekEvery = 16;

void PauseCpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

// One side's place to wait. Only that side sleeps on it; anyone may wake it.
class Sleeper {
 public:
  explicit Sleeper(ThreadScheduler* scheduler) : scheduler_(scheduler) {}

  // Waits until ready() is true: spins, then sleeps. `quick` may be a cheaper
  // and weaker test for the spin; ready() decides.
  template <typename Quick, typename Ready>
  void Await(Quick quick, Ready ready) {
    if (scheduler_ != nullptr) return scheduler_->Await(ready);
    for (int i = 1; i <= spins_; ++i) {
      if (quick() || (i % kPeekEvery == 0 && ready())) {
        spins_ = std::min(kMaxSpins, spins_ + spins_ / 8);
        return;
      }
      PauseCpu();
    }
    if (ready()) return;
    const auto begin = std::chrono::steady_clock::now();
    Sleep(ready);
    // Where spins are in vain as a rule, spin less.
    spins_ = std::chrono::steady_clock::now() - begin < kShortSleep
                 ? std::min(kMaxSpins, spins_ * 2)
                 : std::max(kMinSpins, spins_ - spins_ / 4);
  }

  // True where WakeIfAsleep would have work to do.
  bool asleep() const { return asleep_.load(std::memory_order_seq_cst) != 0; }

  void WakeIfAsleep() {
    if (!asleep() || asleep_.exchange(0, std::memory_order_seq_cst) == 0) {
      return;
    }
    syscall(SYS_futex, &asleep_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

 private:
  template <typename Ready>
  void Sleep(Ready ready) {
    while (true) {
      asleep_.store(1, std::memory_order_seq_cst);
      if (ready()) break;
      syscall(SYS_futex, &asleep_, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
      if (ready()) break;
    }
    asleep_.store(0, std::memory_order_relaxed);
  }

  alignas(kLineBytes) std::atomic<uint32_t> asleep_{0};
  alignas(kLineBytes) int spins_ = kMaxSpins;  // the sleeping side's own
  ThreadScheduler* const scheduler_;
};

// The ring's memory, straight from the kernel: untouched pages cost nothing,
// and failure is a value.
class Mapping {
 public:
  explicit Mapping(size_t bytes) : bytes_(bytes) {
    // Room to begin at a huge page's boundary.
    const size_t room = bytes >= kHugePageBytes ? kHugePageBytes : 0;
    void* memory = mmap(nullptr, bytes + room, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    mapped_ = memory;
    mapped_bytes_ = bytes + room;
    data_ = static_cast<char*>(memory);
    if (room == 0) return;
    const size_t beyond = reinterpret_cast<uintptr_t>(memory) % room;
    if (beyond != 0) data_ += room - beyond;
    // Only a wish: without it all works, on small pages.
    (void)madvise(data_, bytes, MADV_HUGEPAGE);
  }
  ~Mapping() {
    if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // Null where there was no memory.
  char* data() const { return data_; }
  size_t size() const { return bytes_; }

 private:
  static constexpr size_t kHugePageBytes = size_t{2} << 20;

  const size_t bytes_;
  char* data_ = nullptr;
  void* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
};

absl::Status OrCancelled(absl::Status status, absl::string_view why) {
  if (!status.ok()) return status;
  return MakeError(absl::StatusCode::kCancelled, kCancelled, why);
}

}  // namespace

struct Pipe::Impl {
  explicit Impl(const PipeOptions& opts)
      : options(opts),
        ring(opts.chunk_bytes * opts.chunks),
        piece_bytes(std::min(kPublishBytes, opts.chunk_bytes)),
        view_bytes(opts.chunks) {}

  // --- constant
  const PipeOptions options;
  const Mapping ring;
  const size_t piece_bytes;

  // --- the writer's own
  alignas(kLineBytes) uint64_t writer_at = 0;  // = written
  uint64_t writer_published = 0;               // = published
  uint64_t writer_offset = 0;                  // writer_at modulo capacity
  uint64_t writer_limit = 0;  // released + capacity, as last seen
  size_t reserved = 0;

  // --- from the writer to the reader
  alignas(kLineBytes) std::atomic<uint64_t> published{0};
  alignas(kLineBytes) std::atomic<uint64_t> written{0};

  // --- the reader's own
  alignas(kLineBytes) uint64_t reader_at = 0;  // = taken
  uint64_t reader_offset = 0;                  // reader_at modulo capacity
  uint64_t reader_limit = 0;                   // published, as last seen
  std::vector<size_t> view_bytes;  // of views held, by number modulo chunks
  std::atomic<uint64_t> taken{0};
  std::atomic<uint64_t> views_taken{0};

  // --- from the releaser to the writer
  alignas(kLineBytes) std::atomic<uint64_t> released{0};
  std::atomic<uint64_t> views_released{0};

  // --- sleeping and ending; rarely written
  Sleeper writer{options.scheduler};
  Sleeper reader{options.scheduler};
  // What `released` must reach before the sleeping writer is woken: where the
  // reader works, and where it waits.
  std::atomic<uint64_t> writer_wants{0};
  std::atomic<uint64_t> writer_needs{0};
  std::atomic<bool> reader_waits{false};
  alignas(kLineBytes) std::atomic<bool> writer_ended{false};
  std::atomic<bool> reader_ended{false};  // at once
  std::atomic<bool> write_closed{false};  // the end follows what was written
  Mutex mutex;
  absl::Status to_writer ABSL_GUARDED_BY(mutex);
  absl::Status to_reader ABSL_GUARDED_BY(mutex);

  size_t capacity() const { return ring.size(); }

  // --- the writer's thread
  absl::Status CheckWriter() {
    if (!writer_ended.load(std::memory_order_acquire)) return absl::OkStatus();
    return WriterStatus();
  }
  absl::Status WriterStatus();
  absl::Status AwaitSpace(size_t want);
  void Advance(size_t bytes);
  void Publish();

  // --- the reader's thread
  absl::Status AwaitBytes();
  absl::Status ReaderStatus();

  // --- any thread
  void EndWriter(absl::Status status);
  void EndReader(absl::Status status);
};

absl::Status Pipe::Impl::WriterStatus() {
  MutexLock lock(mutex);
  if (!to_writer.ok()) return to_writer;
  return absl::FailedPreconditionError("write to a pipe after its end");
}

absl::Status Pipe::Impl::ReaderStatus() {
  MutexLock lock(mutex);
  return to_reader;
}

// Returns with at least `want` bytes free; `want` is at most a chunk.
absl::Status Pipe::Impl::AwaitSpace(size_t want) {
  const auto free_at_least = [this](size_t bytes) {
    writer_limit = released.load(std::memory_order_seq_cst) + capacity();
    return writer_limit - writer_at >= bytes;
  };
  const auto ended = [this] {
    return writer_ended.load(std::memory_order_seq_cst);
  };
  if (!free_at_least(want)) {
    Publish();
    const size_t half = std::max(options.chunk_bytes, capacity() / 2);
    writer_wants.store(writer_at + half - capacity(),
                       std::memory_order_relaxed);
    writer_needs.store(writer_at + options.chunk_bytes - capacity(),
                       std::memory_order_relaxed);
    writer.Await([&] { return free_at_least(want) || ended(); },
                 [&] {
                   return free_at_least(half) || ended() ||
                          (reader_waits.load(std::memory_order_seq_cst) &&
                           free_at_least(options.chunk_bytes));
                 });
  }
  return CheckWriter();
}

void Pipe::Impl::Advance(size_t bytes) {
  writer_at += bytes;
  writer_offset += bytes;
  if (writer_offset == capacity()) writer_offset = 0;
  if (writer_at - writer_published >= piece_bytes ||
      writer_offset % options.chunk_bytes == 0) {
    writer_published = writer_at;
    published.store(writer_at, std::memory_order_release);
  }
  written.store(writer_at, std::memory_order_seq_cst);
  reader.WakeIfAsleep();
}

void Pipe::Impl::Publish() {
  if (writer_published == writer_at) return;
  writer_published = writer_at;
  published.store(writer_at, std::memory_order_release);
}

// Returns OK when there are bytes beyond reader_at, or at the explicit end.
absl::Status Pipe::Impl::AwaitBytes() {
  const auto ended = [this] {
    return reader_ended.load(std::memory_order_seq_cst) ||
           write_closed.load(std::memory_order_seq_cst);
  };
  // `published` may lag behind what the reader has found in `written`.
  reader_limit = published.load(std::memory_order_acquire);
  if (reader_limit <= reader_at) {
    reader_waits.store(true, std::memory_order_seq_cst);
    writer.WakeIfAsleep();
    reader.Await(
        [&] {
          reader_limit = published.load(std::memory_order_acquire);
          return reader_limit > reader_at || ended();
        },
        [&] {
          reader_limit = written.load(std::memory_order_seq_cst);
          return reader_limit > reader_at || ended();
        });
    reader_waits.store(false, std::memory_order_relaxed);
  }
  if (reader_ended.load(std::memory_order_acquire)) return ReaderStatus();
  if (reader_limit > reader_at) return absl::OkStatus();
  // Closed. Everything was written before that; look once more.
  reader_limit = written.load(std::memory_order_acquire);
  if (reader_limit > reader_at) return absl::OkStatus();
  return ReaderStatus();
}

void Pipe::Impl::EndWriter(absl::Status status) {
  {
    MutexLock lock(mutex);
    if (to_writer.ok()) to_writer = std::move(status);
  }
  writer_ended.store(true, std::memory_order_seq_cst);
  writer.WakeIfAsleep();
}

void Pipe::Impl::EndReader(absl::Status status) {
  {
    MutexLock lock(mutex);
    if (to_reader.ok()) to_reader = std::move(status);
  }
  reader_ended.store(true, std::memory_order_seq_cst);
  reader.WakeIfAsleep();
}

absl::StatusOr<std::unique_ptr<Pipe>> Pipe::Create(const PipeOptions& options) {
  if (options.chunk_bytes < kMinChunkBytes ||
      options.chunk_bytes > kMaxChunkBytes) {
    return InvalidArgument(absl::StrCat(
        "pipe: chunks of ", options.chunk_bytes, " bytes; they may have ",
        kMinChunkBytes, " to ", kMaxChunkBytes));
  }
  if (options.chunks < kMinChunks || options.chunks > kMaxChunks) {
    return InvalidArgument(absl::StrCat("pipe: ", options.chunks,
                                        " chunks; there may be ", kMinChunks,
                                        " to ", kMaxChunks));
  }
  auto impl = std::make_unique<Impl>(options);
  if (impl->ring.data() == nullptr) {
    return MakeError(
        absl::StatusCode::kResourceExhausted, kResourceExhausted,
        absl::StrCat("pipe: no memory for ", options.chunks, " chunks of ",
                     options.chunk_bytes, " bytes"));
  }
  return std::unique_ptr<Pipe>(new Pipe(std::move(impl)));
}

Pipe::Pipe(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pipe::~Pipe() = default;

absl::Status Pipe::Write(absl::string_view bytes) {
  Impl& p = *impl_;
  SLUICE_RETURN_IF_ERROR(p.CheckWriter());
  p.reserved = 0;
  while (!bytes.empty()) {
    const size_t piece = std::min(bytes.size(), p.piece_bytes);
    if (p.writer_limit - p.writer_at < piece) {
      SLUICE_RETURN_IF_ERROR(p.AwaitSpace(piece));
    }
    const size_t n = std::min(piece, p.capacity() - p.writer_offset);
    std::memcpy(p.ring.data() + p.writer_offset, bytes.data(), n);
    bytes.remove_prefix(n);
    p.Advance(n);
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Span<char>> Pipe::Reserve() {
  Impl& p = *impl_;
  SLUICE_RETURN_IF_ERROR(p.CheckWriter());
  const size_t chunk = p.options.chunk_bytes;
  const size_t rest = chunk - p.writer_offset % chunk;
  if (p.writer_limit - p.writer_at < rest) {
    SLUICE_RETURN_IF_ERROR(p.AwaitSpace(rest));
  }
  p.reserved = rest;
  return absl::MakeSpan(p.ring.data() + p.writer_offset, rest);
}

absl::Status Pipe::Commit(size_t bytes) {
  Impl& p = *impl_;
  SLUICE_RETURN_IF_ERROR(p.CheckWriter());
  if (bytes > p.reserved) {
    return absl::FailedPreconditionError(absl::StrCat(
        "pipe: commit of ", bytes, " bytes, ", p.reserved, " were reserved"));
  }
  p.reserved = 0;
  if (bytes > 0) p.Advance(bytes);
  return absl::OkStatus();
}

absl::Status Pipe::Flush() {
  SLUICE_RETURN_IF_ERROR(impl_->CheckWriter());
  impl_->Publish();
  return absl::OkStatus();
}

void Pipe::CloseWrite(absl::Status status) {
  Impl& p = *impl_;
  if (p.write_closed.load(std::memory_order_relaxed)) return;
  {
    MutexLock lock(p.mutex);
    if (p.to_reader.ok()) p.to_reader = std::move(status);
  }
  p.Publish();
  p.writer_ended.store(true, std::memory_order_release);
  p.write_closed.store(true, std::memory_order_seq_cst);
  p.reader.WakeIfAsleep();
}

absl::StatusOr<absl::string_view> Pipe::Next() {
  Impl& p = *impl_;
  const uint64_t view = p.views_taken.load(std::memory_order_relaxed);
  if (view - p.views_released.load(std::memory_order_acquire) >=
      p.options.chunks - 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        "pipe: ", p.options.chunks - 1, " views are held, release one first"));
  }
  if (p.reader_ended.load(std::memory_order_acquire)) return p.ReaderStatus();
  if (p.reader_limit <= p.reader_at) {
    SLUICE_RETURN_IF_ERROR(p.AwaitBytes());
    if (p.reader_limit <= p.reader_at) return absl::string_view();
  }
  const size_t chunk = p.options.chunk_bytes;
  const size_t n = std::min<uint64_t>(p.reader_limit - p.reader_at,
                                      chunk - p.reader_offset % chunk);
  const absl::string_view bytes(p.ring.data() + p.reader_offset, n);
  p.reader_at += n;
  p.reader_offset += n;
  if (p.reader_offset == p.capacity()) p.reader_offset = 0;
  p.view_bytes[view % p.options.chunks] = n;
  p.taken.store(p.reader_at, std::memory_order_relaxed);
  p.views_taken.store(view + 1, std::memory_order_release);
  return bytes;
}

void Pipe::Release() {
  Impl& p = *impl_;
  const uint64_t view = p.views_released.load(std::memory_order_relaxed);
  if (view == p.views_taken.load(std::memory_order_acquire)) return;
  const uint64_t position = p.released.load(std::memory_order_relaxed) +
                            p.view_bytes[view % p.options.chunks];
  p.views_released.store(view + 1, std::memory_order_release);
  p.released.store(position, std::memory_order_seq_cst);
  if (!p.writer.asleep()) return;
  const std::atomic<uint64_t>& wanted =
      p.reader_waits.load(std::memory_order_seq_cst) ? p.writer_needs
                                                     : p.writer_wants;
  if (position >= wanted.load(std::memory_order_relaxed)) {
    p.writer.WakeIfAsleep();
  }
}

void Pipe::CloseRead(absl::Status status) {
  status = OrCancelled(std::move(status), "the reader has closed the pipe");
  impl_->EndReader(status);
  impl_->EndWriter(std::move(status));
}

void Pipe::Cancel(absl::Status status) {
  status = OrCancelled(std::move(status), "the pipe was cancelled");
  impl_->EndReader(status);
  impl_->EndWriter(std::move(status));
}

uint64_t Pipe::bytes_read() const {
  return impl_->taken.load(std::memory_order_relaxed);
}

const PipeOptions& Pipe::options() const { return impl_->options; }

}  // namespace sluice
