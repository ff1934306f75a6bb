#include "sluice/benchmarks/channels.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sluice::benchmarks {
namespace {

constexpr int kKernelPipeBytes = 1 << 20;

size_t RingBytes() {
  const PipeOptions options;
  return options.chunk_bytes * options.chunks;
}

void PauseCpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

std::unique_ptr<Pipe> MakePipe() {
  absl::StatusOr<std::unique_ptr<Pipe>> pipe = Pipe::Create({});
  DieUnlessOk(pipe.status(), "create a pipe");
  return *std::move(pipe);
}

}  // namespace

uint64_t SumOneIn64(const char* data, size_t bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes; i += 64) {
    sum += static_cast<unsigned char>(data[i]);
  }
  return sum;
}

MemcpyRing::MemcpyRing(size_t write_bytes)
    : slot_bytes_(write_bytes),
      slots_(std::max<uint64_t>(2, RingBytes() / write_bytes)),
      source_(write_bytes, 'x'),
      ring_(slots_ * write_bytes) {}

void MemcpyRing::Produce(size_t bytes) {
  while (produced_ - seen_consumed_ == slots_) {
    seen_consumed_ = released_.value.load(std::memory_order_acquire);
    PauseCpu();
  }
  std::memcpy(ring_.data() + produced_ % slots_ * slot_bytes_, source_.data(),
              bytes);
  published_.value.store(++produced_, std::memory_order_release);
}

void MemcpyRing::Consume(uint64_t bytes) {
  uint64_t consumed = released_.value.load(std::memory_order_relaxed);
  uint64_t seen_produced = consumed;
  for (const uint64_t end = consumed + bytes / slot_bytes_; consumed < end;) {
    while (seen_produced == consumed) {
      seen_produced = published_.value.load(std::memory_order_acquire);
      if (seen_produced == consumed) PauseCpu();
    }
    benchmark::DoNotOptimize(SumOneIn64(
        ring_.data() + consumed % slots_ * slot_bytes_, slot_bytes_));
    released_.value.store(++consumed, std::memory_order_release);
  }
}

KernelPipe::KernelPipe(size_t write_bytes)
    : source_(write_bytes), sink_(std::max<size_t>(write_bytes, 64 << 10)) {
  if (pipe2(ends_, O_CLOEXEC) != 0) {
    DieUnlessOk(absl::ErrnoToStatus(errno, "pipe2"), "kernel pipe");
  }
  // Unprivileged users may not get all of it; then it is as large as it is.
  (void)fcntl(ends_[1], F_SETPIPE_SZ, kKernelPipeBytes);
}

KernelPipe::~KernelPipe() {
  close(ends_[0]);
  close(ends_[1]);
}

void KernelPipe::Produce(size_t bytes) {
  std::memset(source_.data(), 'x', bytes);
  for (size_t sent = 0; sent < bytes;) {
    const ssize_t n = write(ends_[1], source_.data() + sent, bytes - sent);
    if (n < 0) DieUnlessOk(absl::ErrnoToStatus(errno, "write"), "kernel pipe");
    sent += n;
  }
}

void KernelPipe::Consume(uint64_t bytes) {
  while (bytes > 0) {
    const ssize_t n =
        read(ends_[0], sink_.data(), std::min<uint64_t>(bytes, sink_.size()));
    if (n < 0) DieUnlessOk(absl::ErrnoToStatus(errno, "read"), "kernel pipe");
    benchmark::DoNotOptimize(SumOneIn64(sink_.data(), n));
    bytes -= n;
  }
}

CopiedPipe::CopiedPipe(size_t write_bytes)
    : pipe_(MakePipe()), source_(write_bytes, 'x') {}

void CopiedPipe::Produce(size_t bytes) {
  const absl::Status status = pipe_->Write({source_.data(), bytes});
  if (!status.ok()) DieUnlessOk(status, "write");
}

void CopiedPipe::Consume(uint64_t bytes) {
  while (bytes > 0) {
    const absl::StatusOr<absl::string_view> view = pipe_->Next();
    if (!view.ok()) DieUnlessOk(view.status(), "next");
    benchmark::DoNotOptimize(SumOneIn64(view->data(), view->size()));
    bytes -= view->size();
    pipe_->Release();
  }
}

FilledPipe::FilledPipe(size_t write_bytes) : CopiedPipe(write_bytes) {}

void FilledPipe::Produce(size_t bytes) {
  while (bytes > 0) {
    absl::StatusOr<absl::Span<char>> span = pipe_->Reserve();
    if (!span.ok()) DieUnlessOk(span.status(), "reserve");
    const size_t n = std::min(bytes, span->size());
    std::memset(span->data(), 'x', n);
    const absl::Status status = pipe_->Commit(n);
    if (!status.ok()) DieUnlessOk(status, "commit");
    bytes -= n;
  }
}

}  // namespace sluice::benchmarks
