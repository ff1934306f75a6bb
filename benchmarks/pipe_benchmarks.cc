#include "sluice/benchmarks/pipe_benchmarks.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "openssl/sha.h"
#include "sluice/benchmarks/channels.h"
#include "sluice/benchmarks/raw_sha256.h"
#include "sluice/executor/stream/pipe.h"

namespace sluice::benchmarks {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;
constexpr size_t kWriteSizes[] = {64,         4 * kKiB, 32 * kKiB,
                                  256 * kKiB, kMiB,     4 * kMiB};

std::string SizeName(size_t bytes) {
  if (bytes >= kMiB) return absl::StrCat(bytes / kMiB, "MiB");
  if (bytes >= kKiB) return absl::StrCat(bytes / kKiB, "KiB");
  return absl::StrCat(bytes, "B");
}

template <typename Reference, typename Subject>
void CompareChannels(benchmark::State& state, const Effort& effort,
                     size_t write_bytes) {
  // Small writes are slow, above all through the kernel.
  const uint64_t total =
      effort.Scale(write_bytes < 4 * kKiB ? 64 * kMiB : 1024 * kMiB);
  Reference reference(write_bytes);
  Subject subject(write_bytes);
  const uint64_t warm = std::min<uint64_t>(total, 32 * kMiB);
  Transfer(reference, write_bytes, warm);
  Transfer(subject, write_bytes, warm);
  ComparePairs(
      state, {total, effort.pairs()},
      [&] { return Transfer(reference, write_bytes, total); },
      [&] { return Transfer(subject, write_bytes, total); });
}

void RawMemcpy(benchmark::State& state, const Effort& effort) {
  const uint64_t total = effort.Scale(1024 * kMiB);
  const std::vector<char> from(kMiB, 'x');
  std::vector<char> to(kMiB);
  for (auto _ : state) {
    const double begin = MonotonicSeconds();
    for (uint64_t at = 0; at < total; at += from.size()) {
      std::memcpy(to.data(), from.data(), from.size());
      benchmark::DoNotOptimize(to.data());
      benchmark::ClobberMemory();
    }
    const double seconds = MonotonicSeconds() - begin;
    state.SetIterationTime(seconds);
    state.counters["GiBps"] = static_cast<double>(total) / (1 << 30) / seconds;
  }
  state.SetLabel("one thread, 1 MiB, in the cache");
}

void RawSha256(benchmark::State& state, const Effort& effort) {
  const uint64_t total = effort.Scale(1024 * kMiB);
  for (auto _ : state) {
    const double seconds = SecondsOfSha256(total);
    state.SetIterationTime(seconds);
    state.counters["GiBps"] = static_cast<double>(total) / (1 << 30) / seconds;
  }
  state.SetLabel("BoringSSL, one thread");
}

double SecondsOfPipeAndHash(uint64_t total) {
  absl::StatusOr<std::unique_ptr<Pipe>> pipe = Pipe::Create({});
  DieUnlessOk(pipe.status(), "create a pipe");
  const std::string block(256 * kKiB, 'x');
  const double begin = MonotonicSeconds();
  std::thread producer([&] {
    for (uint64_t at = 0; at < total; at += block.size()) {
      DieUnlessOk((*pipe)->Write(block), "write");
    }
    (*pipe)->CloseWrite(absl::OkStatus());
  });
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256_CTX context;
  SHA256_Init(&context);
  while (true) {
    const absl::StatusOr<absl::string_view> view = (*pipe)->Next();
    DieUnlessOk(view.status(), "next");
    if (view->empty()) break;
    SHA256_Update(&context, view->data(), view->size());
    (*pipe)->Release();
  }
  SHA256_Final(digest, &context);
  producer.join();
  benchmark::DoNotOptimize(digest);
  return MonotonicSeconds() - begin;
}

void PipeAndHash(benchmark::State& state, const Effort& effort) {
  const uint64_t total = effort.Scale(1024 * kMiB);
  ComparePairs(
      state, {total, effort.pairs()}, [&] { return SecondsOfSha256(total); },
      [&] { return SecondsOfPipeAndHash(total); });
  state.SetLabel("of raw SHA-256");
}

// Brings one lap through the ring, so that no page is touched for the first
// time while the clock runs.
void Warm(Pipe& pipe) {
  const std::string chunk(pipe.options().chunk_bytes, 'x');
  for (size_t i = 0; i < pipe.options().chunks; ++i) {
    DieUnlessOk(pipe.Write(chunk), "write");
    for (size_t taken = 0; taken < chunk.size();) {
      const absl::StatusOr<absl::string_view> view = pipe.Next();
      DieUnlessOk(view.status(), "next");
      taken += view->size();
      pipe.Release();
    }
  }
}

// Messages that carry the time they were sent. `gap_seconds` lies between the
// arrival of one and the next: short, and both sides run; long, and the reader
// sleeps. Returns microseconds from before Write to after Next.
std::vector<double> HandOffMicroseconds(int messages, double gap_seconds,
                                        bool flush) {
  absl::StatusOr<std::unique_ptr<Pipe>> pipe = Pipe::Create({});
  DieUnlessOk(pipe.status(), "create a pipe");
  Warm(**pipe);
  std::atomic<int> arrived{0};
  std::vector<double> latencies;
  latencies.reserve(messages);
  std::thread reader([&] {
    for (int i = 0; i < messages; ++i) {
      const absl::StatusOr<absl::string_view> view = (*pipe)->Next();
      const double now = MonotonicSeconds();
      DieUnlessOk(view.status(), "next");
      double sent;
      std::memcpy(&sent, view->data(), sizeof(sent));
      latencies.push_back((now - sent) * 1e6);
      (*pipe)->Release();
      arrived.store(i + 1, std::memory_order_release);
    }
  });
  for (int i = 0; i < messages; ++i) {
    while (arrived.load(std::memory_order_acquire) < i) {
    }
    const double begin = MonotonicSeconds();
    double now = begin;
    while (now - begin < gap_seconds) now = MonotonicSeconds();
    char message[64] = {};
    std::memcpy(message, &now, sizeof(now));
    DieUnlessOk((*pipe)->Write({message, sizeof(message)}), "write");
    if (flush) DieUnlessOk((*pipe)->Flush(), "flush");
  }
  reader.join();
  return latencies;
}

void HandOff(benchmark::State& state, int messages, double gap_seconds,
             bool flush, const std::string& label) {
  std::vector<double> latencies;
  for (auto _ : state) {
    const double begin = MonotonicSeconds();
    latencies = HandOffMicroseconds(messages, gap_seconds, flush);
    state.SetIterationTime(MonotonicSeconds() - begin);
  }
  state.counters["p50_us"] = Percentile(latencies, 0.5);
  state.counters["p99_us"] = Percentile(latencies, 0.99);
  state.SetLabel(label);
}

// Processor time of a thread that is blocked in `block`, as a share of the time
// it is blocked; `unblock` ends it.
template <typename Block, typename Unblock>
double BlockedCpuShare(double seconds, Block block, Unblock unblock) {
  double share = 0;
  std::thread blocked([&] {
    const double cpu = ThreadCpuSeconds();
    const double begin = MonotonicSeconds();
    block();
    share = (ThreadCpuSeconds() - cpu) / (MonotonicSeconds() - begin);
  });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  unblock();
  blocked.join();
  return share;
}

void BlockedCpu(benchmark::State& state, double seconds) {
  for (auto _ : state) {
    absl::StatusOr<std::unique_ptr<Pipe>> empty = Pipe::Create({});
    absl::StatusOr<std::unique_ptr<Pipe>> full = Pipe::Create({});
    DieUnlessOk(empty.status(), "create a pipe");
    DieUnlessOk(full.status(), "create a pipe");
    state.counters["reader_%"] =
        100 * BlockedCpuShare(
                  seconds, [&] { (void)(*empty)->Next(); },
                  [&] { (*empty)->Cancel(absl::OkStatus()); });
    const PipeOptions& options = (*full)->options();
    DieUnlessOk(
        (*full)->Write(std::string(options.chunk_bytes * options.chunks, 'x')),
        "fill the pipe");
    state.counters["writer_%"] =
        100 * BlockedCpuShare(
                  seconds, [&] { (void)(*full)->Write("x"); },
                  [&] { (*full)->Cancel(absl::OkStatus()); });
    state.SetIterationTime(2 * seconds);
  }
  state.SetLabel("processor time of a blocked side");
}

}  // namespace

void RegisterPipeBenchmarks(const Effort& effort) {
  const auto with_effort = [effort](auto run) {
    return [effort, run](benchmark::State& state) { run(state, effort); };
  };
  Register("memcpy", with_effort(RawMemcpy));
  Register("sha256", with_effort(RawSha256));
  for (size_t size : kWriteSizes) {
    Register(absl::StrCat("pipe/copy/", SizeName(size)),
             [effort, size](benchmark::State& state) {
               CompareChannels<MemcpyRing, CopiedPipe>(state, effort, size);
               state.SetLabel("of two-thread memcpy ring (floor 0.8)");
             });
  }
  for (size_t size : kWriteSizes) {
    Register(absl::StrCat("pipe/view/", SizeName(size)),
             [effort, size](benchmark::State& state) {
               CompareChannels<KernelPipe, FilledPipe>(state, effort, size);
               state.SetLabel(size >= 32 * kKiB ? "of pipe(2) (floor 3)"
                                                : "of pipe(2)");
             });
  }
  Register("pipe/hash", with_effort(PipeAndHash));
  const int messages = effort.brief ? 20000 : 200000;
  Register("handoff/running", [messages](benchmark::State& state) {
    HandOff(state, messages, 1e-6, false, "64 B (floor p99 5 us)");
  });
  Register("handoff/running/flush", [messages](benchmark::State& state) {
    HandOff(state, messages, 1e-6, true, "64 B, with Flush");
  });
  Register("handoff/asleep", [messages](benchmark::State& state) {
    HandOff(state, messages / 100, 300e-6, false, "64 B, the reader sleeps");
  });
  const double blocked_seconds = effort.brief ? 0.2 : 2.0;
  Register("blocked", [blocked_seconds](benchmark::State& state) {
    BlockedCpu(state, blocked_seconds);
  });
}

}  // namespace sluice::benchmarks
