#include "sluice/plugins/postgres/client/input_buffer.h"

// In this order, and nowhere else: these are not meant for C++, and define
// macros of common names.
extern "C" {
#include <postgres_fe.h>
// postgres_fe.h first
#include <libpq-fe.h>
// libpq-fe.h first
#include <libpq-int.h>
}

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace sluice::postgres {
namespace {

// Of protocol 3: a letter, then the length of the rest, its own four bytes
// included, big-endian.
constexpr int kHeaderBytes = 5;
constexpr int kLengthBytes = 4;
constexpr char kCopyData = 'd';

int Filled(const pg_conn& connection) {
  return connection.inEnd - connection.inStart;
}

// The bytes of the row at the front, without its header; -1: none is there.
int64_t RowBytes(const pg_conn& connection) {
  if (connection.asyncStatus != PGASYNC_COPY_OUT ||
      Filled(connection) < kHeaderBytes) {
    return -1;
  }
  const char* const front = connection.inBuffer + connection.inStart;
  if (*front != kCopyData) return -1;
  uint32_t length = 0;
  for (int i = 1; i < kHeaderBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(front[i]);
  }
  // A length that cannot be is libpq's to tell of.
  if (length < kLengthBytes || length > std::numeric_limits<int32_t>::max()) {
    return -1;
  }
  return length - kLengthBytes;
}

// To `bytes`, with what is filled at its front.
void Resize(pg_conn& connection, int bytes) {
  const int filled = Filled(connection);
  std::memmove(connection.inBuffer, connection.inBuffer + connection.inStart,
               static_cast<size_t>(filled));
  connection.inCursor -= connection.inStart;
  connection.inStart = 0;
  connection.inEnd = filled;
  // Allocated by libpq with malloc, and freed by it.
  void* const resized =
      std::realloc(connection.inBuffer, static_cast<size_t>(bytes));
  if (resized == nullptr) return;
  connection.inBuffer = static_cast<char*>(resized);
  connection.inBufSize = bytes;
}

}  // namespace

bool InputBuffer::IsOfThisLayout() const {
  const pg_conn& connection = *connection_;
  return connection.sock == PQsocket(connection_) &&
         connection.be_pid == PQbackendPID(connection_) &&
         connection.sversion == PQserverVersion(connection_) &&
         connection.inBuffer != nullptr && connection.inStart >= 0 &&
         connection.inStart <= connection.inCursor &&
         connection.inCursor <= connection.inEnd &&
         connection.inEnd <= connection.inBufSize;
}

void InputBuffer::Reserve(size_t bytes) {
  const int wanted = static_cast<int>(bytes);
  if (connection_->inBufSize < wanted) Resize(*connection_, wanted);
}

void InputBuffer::ShrinkTo(size_t bytes) {
  const int wanted = std::max(static_cast<int>(bytes), Filled(*connection_));
  if (connection_->inBufSize > wanted) Resize(*connection_, wanted);
}

bool InputBuffer::NextCopyData(absl::string_view* row) {
  const int64_t bytes = RowBytes(*connection_);
  if (bytes <= 0 || Filled(*connection_) < kHeaderBytes + bytes) return false;
  *row = absl::string_view(
      connection_->inBuffer + connection_->inStart + kHeaderBytes,
      static_cast<size_t>(bytes));
  connection_->inStart += static_cast<int>(kHeaderBytes + bytes);
  connection_->inCursor = connection_->inStart;
  return true;
}

uint64_t InputBuffer::pending_bytes() const {
  return static_cast<uint64_t>(std::max<int64_t>(RowBytes(*connection_), 0));
}

}  // namespace sluice::postgres
