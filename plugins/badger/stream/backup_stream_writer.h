#ifndef SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_WRITER_H_
#define SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_WRITER_H_

// Writes the stream of Badger's DB.Backup: what `badger restore` reads.
//
//   BackupStreamWriter writer([&sink](absl::string_view bytes) {
//     return sink.Write(bytes);
//   });
//   SLUICE_RETURN_IF_ERROR(writer.Add(entry));  // for each
//   SLUICE_RETURN_IF_ERROR(writer.Finish());
//
// A stream is frames: a length (u64, little endian), then so many bytes of a
// KVList message. A frame is closed once it holds `frame_bytes`, so it is
// larger than that by one entry at most; a loader holds a frame in memory, and
// so does this writer. An entry is written with its version, expiry, user meta
// and the bits of kMetaMeaning. Nothing is sorted here: give entries as the
// stream is to hold them.
//
// One thread. Add copies the entry. Errors are those of `output`, as they are,
// and then the writer is of no more use; source_failed for an entry that no
// Badger could load (see stream_entry.h).

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

class BackupStreamWriter {
 public:
  using Output = std::function<absl::Status(absl::string_view)>;

  static constexpr size_t kFrameBytes = size_t{1} << 20;

  explicit BackupStreamWriter(Output output, size_t frame_bytes = kFrameBytes);

  absl::Status Add(const StreamEntry& entry);
  // Gives the last frame to `output`. A stream without entries has no bytes.
  absl::Status Finish();

  uint64_t entries() const { return entries_; }
  // The largest version added; 0: none.
  uint64_t max_version() const { return max_version_; }

 private:
  absl::Status CloseFrame();

  const Output output_;
  const size_t frame_bytes_;
  std::string frame_;  // kept with room for the length before it
  uint64_t entries_ = 0;
  uint64_t max_version_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_WRITER_H_
