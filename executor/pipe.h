#ifndef SLUICE_EXECUTOR_PIPE_H_
#define SLUICE_EXECUTOR_PIPE_H_

// A bounded pipe between one writer thread and one reader thread: a ring of
// fixed chunks.
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Pipe> pipe, Pipe::Create({}));
//   writer: pipe->Write("hello"); pipe->CloseWrite(absl::OkStatus());
//   reader: while (true) { auto view = pipe->Next(); if (!view.ok() ||
//   view->empty()) break; Use(*view); pipe->Release(); }
//
// Each side may close once, with a status; the other side gets that status as
// it is, at once, also when it is blocked. A blocked side spins for a moment
// and then sleeps: it burns no CPU while it waits long.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sluice {

struct PipeOptions {
  size_t chunk_bytes = size_t{1} << 20;  // 4 KiB to 64 MiB
  size_t chunks = 8;  // 2 to 1,024; chunk_bytes * chunks is all the memory that
                      // the pipe holds
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
  // The free rest of a chunk, never empty, to be filled in place; valid until
  // Commit.
  absl::StatusOr<absl::Span<char>> Reserve();
  absl::Status Commit(size_t bytes);
  absl::Status Flush();
  // The end: OK is the explicit end of the stream, any other status reaches the
  // reader after, not before, what was written. The first call counts.
  void CloseWrite(absl::Status status);

  // --- reader's thread

  // The next bytes; empty only at the explicit end. Views are released in the
  // order they were taken; at most `chunks` - 1 may be held.
  absl::StatusOr<absl::string_view> Next();
  // Gives back the oldest view. Any one thread at a time.
  void Release();
  // No more will be read. The writer, also a blocked one, gets `status`. The
  // first call counts.
  void CloseRead(absl::Status status);

  // --- any thread

  // Ends both sides with `status` at once, without waiting for what lies in the
  // ring.
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

#endif  // SLUICE_EXECUTOR_PIPE_H_
