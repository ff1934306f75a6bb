#ifndef SLUICE_PLUGINS_POSTGRES_CLIENT_INPUT_BUFFER_H_
#define SLUICE_PLUGINS_POSTGRES_CLIENT_INPUT_BUFFER_H_

// libpq's input buffer, looked into: rows of a COPY as views of it, and how
// much memory it takes. See docs/adr/0010-libpq-input-buffer.md.
//
//   InputBuffer input(connection);
//   input.Reserve(kReadBytes);
//   while (!input.NextCopyData(&row)) {   // nothing whole is there
//     if (input.pending_bytes() > kLarge) ...;
//     PQconsumeInput(connection);
//   }
//
// PQgetCopyData allocates and copies each row, reads 16 KiB at a time, and
// takes a row of any size into memory before it tells of it; the buffer never
// shrinks. libpq-dev ships the layout for such uses (internal/libpq-int.h), and
// libpq is linked statically from the same package, so both are of one version;
// IsOfThisLayout, asked once a connection, guards a build that mixes them.
//
// A view on a connection: make one where it is needed. One thread, the
// connection's. Cost of a row: none but the look at its header.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

struct pg_conn;

namespace sluice::postgres {

class InputBuffer {
 public:
  // Borrows a connection that is open.
  explicit InputBuffer(pg_conn* connection) : connection_(connection) {}

  // Whether what the header says of a connection is what libpq says of it.
  bool IsOfThisLayout() const;

  // Makes room for `bytes` in all. Without the memory it stays as it is.
  void Reserve(size_t bytes);
  // Gives back what a long message took, all but `bytes` and what came after.
  void ShrinkTo(size_t bytes);

  // Within COPY TO STDOUT: takes the row that lies whole at the front. `row` is
  // valid until the next call of libpq on the connection. False: there is none,
  // but maybe a message that PQgetCopyData must look at.
  bool NextCopyData(absl::string_view* row);
  // The length of the row at the front, whole or not; 0 if it is no row.
  uint64_t pending_bytes() const;

 private:
  pg_conn* const connection_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_CLIENT_INPUT_BUFFER_H_
