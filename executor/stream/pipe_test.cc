#include "sluice/executor/stream/pipe.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

constexpr size_t kChunk = 4096;

std::unique_ptr<Pipe> MakePipe(size_t chunk_bytes = kChunk, size_t chunks = 4) {
  PipeOptions options;
  options.chunk_bytes = chunk_bytes;
  options.chunks = chunks;
  absl::StatusOr<std::unique_ptr<Pipe>> pipe = Pipe::Create(options);
  EXPECT_TRUE(pipe.ok()) << pipe.status();
  return *std::move(pipe);
}

// The byte at `position` of the stream that all tests send.
char ByteAt(uint64_t position) {
  return static_cast<char>((position * 0x9E3779B97F4A7C15u) >> 56);
}

std::string Bytes(uint64_t from, size_t count) {
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; ++i) bytes[i] = ByteAt(from + i);
  return bytes;
}

// Reads to the end, releasing each view; `status` is how it ended.
std::string ReadAll(Pipe& pipe, absl::Status* status) {
  std::string all;
  while (true) {
    const absl::StatusOr<absl::string_view> view = pipe.Next();
    *status = view.status();
    if (!view.ok() || view->empty()) return all;
    all.append(view->data(), view->size());
    pipe.Release();
  }
}

// Writes until the pipe is full and blocks in one write more.
absl::Status WriteForEver(Pipe& pipe, std::atomic<uint64_t>& accepted) {
  const std::string bytes(kChunk, 'x');
  while (true) {
    if (absl::Status status = pipe.Write(bytes); !status.ok()) return status;
    accepted += bytes.size();
  }
}

void AwaitValue(const std::atomic<uint64_t>& value, uint64_t wanted) {
  while (value < wanted) std::this_thread::yield();
}

TEST(PipeTest, BringsWritesInOrder) {
  const auto pipe = MakePipe();
  std::string sent;
  std::thread writer([&] {
    for (size_t size : {1, 0, 63, 4096, 5000, 40000, 7}) {
      const std::string bytes = Bytes(sent.size(), size);
      ASSERT_TRUE(pipe->Write(bytes).ok());
      sent += bytes;
    }
    pipe->CloseWrite(absl::OkStatus());
  });
  absl::Status status;
  const std::string got = ReadAll(*pipe, &status);
  writer.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(got, sent);
  EXPECT_EQ(pipe->bytes_read(), sent.size());
}

TEST(PipeTest, BringsWhatWasFilledInPlace) {
  const auto pipe = MakePipe();
  constexpr uint64_t kTotal = 100001;
  std::thread writer([&] {
    uint64_t at = 0;
    while (at < kTotal) {
      absl::StatusOr<absl::Span<char>> span = pipe->Reserve();
      ASSERT_TRUE(span.ok()) << span.status();
      ASSERT_FALSE(span->empty());
      const size_t n = std::min<uint64_t>({span->size(), 1000, kTotal - at});
      for (size_t i = 0; i < n; ++i) (*span)[i] = ByteAt(at + i);
      ASSERT_TRUE(pipe->Commit(n).ok());
      at += n;
    }
    pipe->CloseWrite(absl::OkStatus());
  });
  absl::Status status;
  const std::string got = ReadAll(*pipe, &status);
  writer.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(got, Bytes(0, kTotal));
}

TEST(PipeTest, ReservesTheWholeRestOfAChunk) {
  const auto pipe = MakePipe();
  EXPECT_EQ(pipe->Reserve()->size(), kChunk);
  ASSERT_TRUE(pipe->Commit(1).ok());
  EXPECT_EQ(pipe->Reserve()->size(), kChunk - 1);
  EXPECT_EQ(pipe->Commit(kChunk).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(pipe->Commit(0).ok());
  EXPECT_EQ(pipe->Commit(1).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(PipeTest, EndsAnEmptyStreamExplicitly) {
  const auto pipe = MakePipe();
  pipe->CloseWrite(absl::OkStatus());
  absl::StatusOr<absl::string_view> view = pipe->Next();
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(view->empty());
  EXPECT_TRUE(pipe->Next()->empty());
}

TEST(PipeTest, GivesTheWritersErrorAfterItsBytes) {
  const auto pipe = MakePipe();
  ASSERT_TRUE(pipe->Write("before").ok());
  const absl::Status failure =
      MakeError(absl::StatusCode::kUnavailable, kSourceFailed, "disk gone");
  pipe->CloseWrite(failure);
  pipe->CloseWrite(absl::OkStatus());
  pipe->CloseWrite(absl::InternalError("too late"));
  EXPECT_EQ(*pipe->Next(), "before");
  EXPECT_EQ(pipe->Next().status(), failure);
  EXPECT_EQ(ErrorCodeOf(pipe->Next().status()), kSourceFailed);
}

TEST(PipeTest, RefusesWritesAfterTheEnd) {
  const auto pipe = MakePipe();
  pipe->CloseWrite(absl::OkStatus());
  EXPECT_EQ(pipe->Write("x").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(pipe->Reserve().status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(pipe->Flush().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(pipe->Next()->empty());
}

TEST(PipeTest, GivesTheReadersFirstStatusToTheWriter) {
  const auto pipe = MakePipe();
  const absl::Status failure = MakeError(absl::StatusCode::kResourceExhausted,
                                         kDestinationNoSpace, "disk full");
  pipe->CloseRead(failure);
  pipe->CloseRead(absl::InternalError("too late"));
  pipe->Cancel(absl::InternalError("too late"));
  EXPECT_EQ(pipe->Write("x"), failure);
  EXPECT_EQ(pipe->Reserve().status(), failure);
  EXPECT_EQ(pipe->Commit(0), failure);
  EXPECT_EQ(pipe->Flush(), failure);
}

TEST(PipeTest, CallsAReadersPlainCloseACancel) {
  const auto pipe = MakePipe();
  pipe->CloseRead(absl::OkStatus());
  EXPECT_EQ(pipe->Write("x").code(), absl::StatusCode::kCancelled);
}

TEST(PipeTest, WakesAWriterBlockedInWriteWhenTheReaderCloses) {
  const auto pipe = MakePipe();
  std::atomic<uint64_t> accepted{0};
  absl::Status status;
  std::thread writer([&] { status = WriteForEver(*pipe, accepted); });
  AwaitValue(accepted, 4 * kChunk);
  pipe->CloseRead(absl::DataLossError("no more"));
  writer.join();
  EXPECT_EQ(status, absl::DataLossError("no more"));
}

TEST(PipeTest, WakesAWriterBlockedInReserveWhenCancelled) {
  const auto pipe = MakePipe();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(pipe->Write(std::string(kChunk, 'x')).ok());
  }
  absl::Status status;
  std::thread writer([&] { status = pipe->Reserve().status(); });
  pipe->Cancel(absl::DeadlineExceededError("too long"));
  writer.join();
  EXPECT_EQ(status, absl::DeadlineExceededError("too long"));
}

TEST(PipeTest, WakesABlockedReaderWhenCancelled) {
  const auto pipe = MakePipe();
  absl::Status status;
  std::atomic<uint64_t> began{0};
  std::thread reader([&] {
    began = 1;
    status = pipe->Next().status();
  });
  AwaitValue(began, 1);
  pipe->Cancel(absl::OkStatus());
  reader.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

TEST(PipeTest, WakesABlockedReaderAtTheEnd) {
  const auto pipe = MakePipe();
  absl::Status status;
  std::string got;
  std::thread reader([&] { got = ReadAll(*pipe, &status); });
  pipe->CloseWrite(absl::OkStatus());
  reader.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(got, "");
}

TEST(PipeTest, CancelDoesNotWaitForWhatLiesInTheRing) {
  const auto pipe = MakePipe();
  ASSERT_TRUE(pipe->Write("unread").ok());
  pipe->Cancel(absl::CancelledError("stop"));
  EXPECT_EQ(pipe->Next().status(), absl::CancelledError("stop"));
  EXPECT_EQ(pipe->Write("x"), absl::CancelledError("stop"));
}

TEST(PipeTest, CancelTakesBackAnEndThatWasNotReadYet) {
  const auto pipe = MakePipe();
  pipe->CloseWrite(absl::OkStatus());
  pipe->Cancel(absl::CancelledError("stop"));
  EXPECT_EQ(pipe->Next().status(), absl::CancelledError("stop"));
}

TEST(PipeTest, CancelKeepsTheErrorThatCameFirst) {
  const auto pipe = MakePipe();
  ASSERT_TRUE(pipe->Write("unread").ok());
  pipe->CloseWrite(absl::DataLossError("the cause"));
  pipe->Cancel(absl::CancelledError("the consequence"));
  EXPECT_EQ(pipe->Next().status(), absl::DataLossError("the cause"));
}

TEST(PipeTest, ShowsAWaitingReaderASmallWrite) {
  const auto pipe = MakePipe();
  const auto back = MakePipe();
  // Neither side flushes or fills a chunk, yet each round trip ends.
  std::thread echo([&] {
    for (int i = 0; i < 1000; ++i) {
      const absl::StatusOr<absl::string_view> view = pipe->Next();
      ASSERT_TRUE(view.ok());
      ASSERT_TRUE(back->Write(*view).ok());
      pipe->Release();
    }
  });
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(pipe->Write(std::string(1, ByteAt(i))).ok());
    const absl::StatusOr<absl::string_view> view = back->Next();
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(*view, std::string(1, ByteAt(i)));
    back->Release();
  }
  echo.join();
}

TEST(PipeTest, GathersSmallWritesUntilAFlush) {
  const auto pipe = MakePipe();
  ASSERT_TRUE(pipe->Write("sm").ok());
  ASSERT_TRUE(pipe->Write("all").ok());
  ASSERT_TRUE(pipe->Flush().ok());
  EXPECT_EQ(*pipe->Next(), "small");
}

TEST(PipeTest, ShowsABigWriteBeforeItIsWhole) {
  const auto pipe = MakePipe(size_t{1} << 20, 2);
  const std::string big = Bytes(0, 8 << 20);
  std::thread writer([&] {
    ASSERT_TRUE(pipe->Write(big).ok());
    pipe->CloseWrite(absl::OkStatus());
  });
  absl::Status status;
  EXPECT_EQ(ReadAll(*pipe, &status), big);
  EXPECT_TRUE(status.ok());
  writer.join();
}

TEST(PipeTest, BoundsWhatTheWriterIsAheadOfTheReader) {
  const auto pipe = MakePipe(kChunk, 4);
  std::atomic<uint64_t> accepted{0};
  std::thread writer([&] { (void)WriteForEver(*pipe, accepted); });
  AwaitValue(accepted, 4 * kChunk);
  int64_t most_ahead = 0;
  for (int64_t released = 0; released < int64_t{100 * kChunk};) {
    const absl::StatusOr<absl::string_view> view = pipe->Next();
    ASSERT_TRUE(view.ok());
    most_ahead = std::max<int64_t>(most_ahead, accepted.load() - released);
    released += view->size();
    pipe->Release();
  }
  pipe->CloseRead(absl::OkStatus());
  writer.join();
  EXPECT_LE(most_ahead, int64_t{4 * kChunk});
}

TEST(PipeTest, HoldsViewsUpToTheLimitUnchanged) {
  const auto pipe = MakePipe(kChunk, 8);
  std::thread writer([&] {
    for (uint64_t at = 0; at < 1000 * kChunk; at += kChunk) {
      ASSERT_TRUE(pipe->Write(Bytes(at, kChunk)).ok());
    }
    pipe->CloseWrite(absl::OkStatus());
  });
  std::deque<absl::string_view> held;
  uint64_t released = 0;
  bool ended = false;
  while (!ended || !held.empty()) {
    while (!ended && held.size() < 7) {
      const absl::StatusOr<absl::string_view> view = pipe->Next();
      ASSERT_TRUE(view.ok()) << view.status();
      ended = view->empty();
      if (!ended) held.push_back(*view);
    }
    if (held.size() == 7) {
      EXPECT_EQ(pipe->Next().status().code(),
                absl::StatusCode::kFailedPrecondition);
    }
    if (held.empty()) break;
    ASSERT_EQ(held.front(), Bytes(released, held.front().size()));
    released += held.front().size();
    held.pop_front();
    pipe->Release();
  }
  writer.join();
  EXPECT_EQ(released, 1000 * kChunk);
}

TEST(PipeTest, IgnoresAReleaseWithoutAView) {
  const auto pipe = MakePipe();
  pipe->Release();
  ASSERT_TRUE(pipe->Write("x").ok());
  pipe->Release();
  EXPECT_EQ(*pipe->Next(), "x");
  pipe->Release();
  pipe->Release();
  ASSERT_TRUE(pipe->Write("y").ok());
  EXPECT_EQ(*pipe->Next(), "y");
}

TEST(PipeTest, RefusesSizesOutOfRange) {
  for (const auto& [chunk_bytes, chunks] :
       std::vector<std::pair<size_t, size_t>>{{4095, 4},
                                              {(64 << 20) + 1, 4},
                                              {4096, 1},
                                              {4096, 1025},
                                              {0, 0},
                                              {~size_t{0}, ~size_t{0}}}) {
    PipeOptions options;
    options.chunk_bytes = chunk_bytes;
    options.chunks = chunks;
    EXPECT_EQ(Pipe::Create(options).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(PipeTest, ReportsThatThereIsNoMemory) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  // One GiB more than now (sanitizers map terabytes); the ring asks for 64.
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit none = before;
  none.rlim_cur = pages * sysconf(_SC_PAGESIZE) + (1 << 30);
  PipeOptions options;
  options.chunk_bytes = 64 << 20;
  options.chunks = 1024;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &none), 0);
  const absl::Status status = Pipe::Create(options).status();
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorCodeOf(status), kResourceExhausted);
}

// Views on their way from the reader to a second thread that releases them.
class Handover {
 public:
  void Push(absl::string_view view) {
    views_[pushed_ % views_.size()] = view;
    pushed_.fetch_add(1);
  }
  // Waits for a view; false at the end.
  bool Pop(absl::string_view* view) {
    while (popped_ == pushed_) {
      if (ended_ && popped_ == pushed_) return false;
      std::this_thread::yield();
    }
    *view = views_[popped_ % views_.size()];
    return true;
  }
  void Popped() { popped_.fetch_add(1); }
  void End() { ended_ = true; }
  uint64_t held() const { return pushed_ - popped_; }

 private:
  std::vector<absl::string_view> views_ = std::vector<absl::string_view>(1024);
  std::atomic<uint64_t> pushed_{0};
  std::atomic<uint64_t> popped_{0};
  std::atomic<bool> ended_{false};
};

void WriteRandomly(Pipe& pipe, uint64_t total, std::mt19937_64& random) {
  const std::string source = Bytes(0, total);
  uint64_t at = 0;
  while (at < total) {
    const uint64_t most = uint64_t{1} << random() % 18;
    const uint64_t n = std::min<uint64_t>(total - at, random() % (most + 1));
    if (random() % 3 > 0) {
      ASSERT_TRUE(pipe.Write({source.data() + at, n}).ok());
      at += n;
    } else {
      absl::StatusOr<absl::Span<char>> span = pipe.Reserve();
      ASSERT_TRUE(span.ok());
      const size_t filled = std::min<uint64_t>(n, span->size());
      std::copy_n(source.data() + at, filled, span->data());
      ASSERT_TRUE(pipe.Commit(filled).ok());
      at += filled;
    }
    if (random() % 16 == 0) {
      ASSERT_TRUE(pipe.Flush().ok());
    }
    if (random() % 64 == 0) std::this_thread::yield();
  }
  pipe.CloseWrite(absl::OkStatus());
}

// One writer, one reader that holds a random number of views, one releaser
// that compares every byte.
void Stress(uint64_t seed) {
  std::mt19937_64 random(seed);
  const size_t chunk_bytes = 4096 + random() % 20000;
  const size_t chunks = 2 + random() % 9;
  const auto pipe = MakePipe(chunk_bytes, chunks);
  const uint64_t total = random() % (4 << 20);
  std::thread writer([&, writer_seed = random()] {
    std::mt19937_64 own(writer_seed);
    WriteRandomly(*pipe, total, own);
  });
  Handover handover;
  uint64_t compared = 0;
  std::thread releaser([&] {
    absl::string_view view;
    while (handover.Pop(&view)) {
      ASSERT_EQ(view, Bytes(compared, view.size()));
      compared += view.size();
      pipe->Release();
      handover.Popped();
    }
  });
  while (true) {
    const uint64_t limit = 1 + random() % (chunks - 1);
    while (handover.held() >= limit) std::this_thread::yield();
    const absl::StatusOr<absl::string_view> view = pipe->Next();
    ASSERT_TRUE(view.ok()) << view.status();
    if (view->empty()) break;
    handover.Push(*view);
  }
  handover.End();
  writer.join();
  releaser.join();
  EXPECT_EQ(compared, total);
}

TEST(PipeTest, BringsEveryByteUnderStress) {
  const uint64_t base = std::random_device{}();
  for (uint64_t seed = base; seed < base + 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Stress(seed);
    if (HasFailure()) break;
  }
  std::cout << "seeds from " << base << std::endl;
}

// Ends come from any side at any moment; both threads always come back.
TEST(PipeTest, EndsBothSidesUnderStress) {
  const uint64_t base = std::random_device{}();
  std::cout << "seed " << base << std::endl;
  std::mt19937_64 random(base);
  for (int round = 0; round < 300; ++round) {
    const auto pipe = MakePipe(kChunk, 2);
    const int how = random() % 3;
    const uint64_t after = random() % (16 * kChunk);
    absl::Status writer_got;
    absl::Status reader_got;
    std::thread writer([&] {
      const std::string bytes(1 + after % 5000, 'x');
      for (uint64_t sent = 0; how != 0 || sent < after; sent += bytes.size()) {
        writer_got = pipe->Write(bytes);
        if (!writer_got.ok()) return;
      }
      pipe->CloseWrite(absl::DataLossError("w"));
    });
    std::thread reader([&] {
      uint64_t got = 0;
      while (how != 1 || got < after) {
        const absl::StatusOr<absl::string_view> view = pipe->Next();
        reader_got = view.status();
        if (!view.ok()) return;
        got += view->size();
        pipe->Release();
      }
      pipe->CloseRead(absl::DataLossError("r"));
    });
    if (how == 2) {
      while (pipe->bytes_read() < after) std::this_thread::yield();
      pipe->Cancel(absl::DataLossError("c"));
    }
    writer.join();
    reader.join();
    if (how == 0) {
      EXPECT_EQ(reader_got, absl::DataLossError("w"));
    } else if (how == 1) {
      EXPECT_EQ(writer_got, absl::DataLossError("r"));
    } else {
      EXPECT_EQ(writer_got, absl::DataLossError("c"));
      EXPECT_EQ(reader_got, absl::DataLossError("c"));
    }
  }
}

}  // namespace
}  // namespace sluice
