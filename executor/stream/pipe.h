#ifndef SLUICE_EXECUTOR_STREAM_PIPE_H_
#define SLUICE_EXECUTOR_STREAM_PIPE_H_

// A bounded pipe between one writer thread and one reader thread: a ring of
// fixed chunks, allocated once.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Pipe> pipe, Pipe::Create({}));
//
//   // The writer's thread:
//   pipe->CloseWrite(pipe->Write("hello"));
//
//   // The reader's thread:
//   while (true) {
//     SLUICE_ASSIGN_OR_RETURN(absl::string_view view, pipe->Next());
//     if (view.empty()) break;  // the explicit end
//     Use(view);
//     pipe->Release();
//   }
//
// Each side may close once, with a status; the other side gets that status as
// it is, at once, also when it is blocked. A blocked side spins for a moment
// and then sleeps: it burns no CPU while it waits long.
//
// A chunk is the largest view, not the unit of hand-over: what is written is
// published every few ten KiB, so a large Write is read while it still lies in
// the cache. No call allocates, except where it fails.
//
// Threads: one writer, one reader, and Release from a third if need be. The
// pipe must outlive every call into it: join the other side, then destroy.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/thread_scheduler.h"

namespace sluice {

struct PipeOptions {
  size_t chunk_bytes = size_t{1} << 20;  // 4 KiB to 64 MiB
  size_t chunks = 8;  // 2 to 1,024; chunk_bytes * chunks is all the memory that
                      // the pipe holds
  // Borrowed. A simulation decides when a blocked side goes on; null in
  // production.
  ThreadScheduler* scheduler = nullptr;
};

class Pipe {
 public:
  // INVALID_ARGUMENT for sizes out of range, RESOURCE_EXHAUSTED where there is
  // no memory.
  static absl::StatusOr<std::unique_ptr<Pipe>> Create(
      const PipeOptions& options);
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // --- writer's thread. After CloseRead(s), each returns s (CANCELLED where s
  // is OK).

  // Copies all of `bytes`. Small writes are gathered into a chunk; the reader
  // sees them when it is full, on Flush, on CloseWrite, or when the reader is
  // waiting.
  absl::Status Write(absl::string_view bytes);
  // The whole rest of the current chunk, never empty, to be filled in place;
  // valid until Commit or Write. Waits until the reader has released it.
  absl::StatusOr<absl::Span<char>> Reserve();
  // Hands over the first `bytes` of the span. FAILED_PRECONDITION for more than
  // was reserved. Gathers like Write.
  absl::Status Commit(size_t bytes);
  // The reader sees at once what was written so far.
  absl::Status Flush();
  // The end: OK is the explicit end of the stream, any other status reaches the
  // reader after, not before, what was written. The first call counts.
  void CloseWrite(absl::Status status);

  // --- reader's thread

  // The next bytes, at most up to the end of a chunk; empty only at the
  // explicit end. Blocks until there are some. Views are released in the order
  // they were taken; at most `chunks` - 1 may be held: FAILED_PRECONDITION for
  // one more.
  absl::StatusOr<absl::string_view> Next();
  // Gives back the oldest view. Any one thread at a time. Without a view held
  // it does nothing.
  void Release();
  // No more will be read. The writer, also a blocked one, gets `status`. The
  // first call counts.
  void CloseRead(absl::Status status);

  // --- any thread

  // Ends both sides with `status` (CANCELLED where it is OK) at once, without
  // waiting for what lies in the ring. A side that had got an error already
  // keeps that one. Views that are held stay valid.
  void Cancel(absl::Status status);
  // Bytes the reader has taken so far. Relaxed.
  uint64_t bytes_read() const;
  const PipeOptions& options() const;

 private:
  struct Impl;
  explicit Pipe(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_STREAM_PIPE_H_
