#ifndef SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_READER_H_
#define SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_READER_H_

// Reads the stream of Badger's DB.Backup, whoever wrote it, in pieces as they
// come.
//
//   BackupStreamReader reader([&](const StreamEntry& entry) {
//     return Store(entry);
//   });
//   while (...) SLUICE_RETURN_IF_ERROR(reader.Feed(piece));
//   SLUICE_RETURN_IF_ERROR(reader.Finish());
//
// Entries come in the order of the stream, which is any order: Badger's own
// interleaves ranges of keys. The format has no end mark and no checksum, so a
// stream that was cut between two frames looks whole: who stored it must have
// proven that it is.
//
// An entry's views are valid during the call. Bits of meta other than
// kMetaMeaning are left out: 0x02 would make a pointer of a value that stands
// there in full. What is no entry (stream_done, fields of later versions) is
// passed over.
//
// archive_damaged: bytes that are no stream; an empty key, one beyond
// kMaxStreamKeyBytes, or one that begins with "!badger!", which no application
// can write and which would be taken for Badger's own state; a value beyond
// kMaxStreamValueBytes; the version 2^64-1, which leaves no next one. Errors of
// the visitor are returned as they are. After any error every call returns it
// again.
//
// One thread. Memory: the largest entry, and only as far as its bytes did come;
// a frame of any length costs nothing.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

class BackupStreamReader {
 public:
  using Visitor = std::function<absl::Status(const StreamEntry&)>;

  explicit BackupStreamReader(Visitor visitor);

  absl::Status Feed(absl::string_view bytes);
  // Says whether the stream may end here.
  absl::Status Finish();

  uint64_t entries() const { return entries_; }

 private:
  enum class State { kLength, kField, kEntry, kSkip };

  // Each takes from the front of `bytes`; all of it where more is needed.
  absl::Status Step(absl::string_view& bytes);
  absl::Status ReadLength(absl::string_view& bytes);
  absl::Status ReadField(absl::string_view& bytes);
  absl::Status ReadEntry(absl::string_view& bytes);
  void Skip(absl::string_view& bytes);
  // The next `count` bytes in one piece, or false, and they are kept.
  bool Gather(size_t count, absl::string_view& bytes,
              absl::string_view& gathered);
  State StateAfterField() const;
  absl::Status Visit(absl::string_view message);
  absl::Status Damaged(absl::string_view what) const;

  const Visitor visitor_;
  State state_ = State::kLength;
  std::string kept_;         // what was gathered so far
  uint64_t frame_left_ = 0;  // after what was gathered or is to be skipped
  uint64_t left_ = 0;        // of the entry, or of what is skipped
  uint64_t frames_ = 0;
  uint64_t entries_ = 0;
  absl::Status status_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_READER_H_
