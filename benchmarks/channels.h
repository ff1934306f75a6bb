#ifndef SLUICE_BENCHMARKS_CHANNELS_H_
#define SLUICE_BENCHMARKS_CHANNELS_H_

// Ways to bring bytes from one thread to another: Sluice's pipe by copy and by
// view, and what it is measured against. Each has the same two calls:
//
//   Produce(n): hands over n bytes                    (the producer's thread)
//   Consume(n): takes n bytes, summing one byte in 64 (the consumer's thread)
//
// Both block. One producer, one consumer; a channel is used for many transfers,
// so its memory is warm.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"
#include "sluice/benchmarks/measure.h"
#include "sluice/executor/stream/pipe.h"

namespace sluice::benchmarks {

// What every consumer does with its bytes: it touches each cache line once.
uint64_t SumOneIn64(const char* data, size_t bytes);

// The reference by copy: a ring of slots of one write each, memcpy in, spin
// without end, two counters. As large as the pipe's default ring.
class MemcpyRing {
 public:
  explicit MemcpyRing(size_t write_bytes);
  void Produce(size_t bytes);
  void Consume(uint64_t bytes);

 private:
  struct alignas(128) Counter {
    std::atomic<uint64_t> value{0};
  };
  const size_t slot_bytes_;
  const uint64_t slots_;
  const std::vector<char> source_;
  std::vector<char> ring_;
  uint64_t produced_ = 0;       // the producer's
  uint64_t seen_consumed_ = 0;  // the producer's
  Counter published_;
  Counter released_;
};

// The reference by view: the kernel's pipe with a buffer of 1 MiB. The
// producer fills its buffer before each write, as it fills a view.
class KernelPipe {
 public:
  explicit KernelPipe(size_t write_bytes);
  ~KernelPipe();
  void Produce(size_t bytes);
  void Consume(uint64_t bytes);

 private:
  std::vector<char> source_;
  std::vector<char> sink_;
  int ends_[2];
};

// Sluice's pipe, written by copy.
class CopiedPipe {
 public:
  explicit CopiedPipe(size_t write_bytes);
  void Produce(size_t bytes);
  void Consume(uint64_t bytes);

 protected:
  std::unique_ptr<Pipe> pipe_;

 private:
  const std::vector<char> source_;
};

// Sluice's pipe, filled in place.
class FilledPipe : public CopiedPipe {
 public:
  explicit FilledPipe(size_t write_bytes);
  void Produce(size_t bytes);
};

// Seconds to bring `total` bytes over in writes of `write_bytes`.
template <typename Channel>
double Transfer(Channel& channel, size_t write_bytes, uint64_t total) {
  const double begin = MonotonicSeconds();
  std::thread consumer([&] { channel.Consume(total); });
  for (uint64_t sent = 0; sent < total; sent += write_bytes) {
    channel.Produce(write_bytes);
  }
  consumer.join();
  return MonotonicSeconds() - begin;
}

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_CHANNELS_H_
