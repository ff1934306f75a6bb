#ifndef SLUICE_PLUGINS_BADGER_LIVE_LIVE_FILE_H_
#define SLUICE_PLUGINS_BADGER_LIVE_LIVE_FILE_H_

// Copies single files that another process may cut, delete or replace
// meanwhile. See docs/format/badger.md.
//
//   FileIdentity identity;
//   SLUICE_RETURN_IF_ERROR(CopyWhole(source, "000001.sst", scratch, identity));
//
// Badger cuts a file to nothing before it deletes it (but the value logs of
// Badger 2, see held_logs.h), so neither a held descriptor nor a hard link
// keeps what it holds: bytes are read, and a copy is good only if the file was
// as long afterwards. A complete file is brought over
// by copy_file_range(2), which shares its blocks where source and scratch lie
// on one XFS or Btrfs, and copies within the kernel elsewhere; where it cannot,
// or a decorator has no descriptor, by read and write.
//
// Errors: ABORTED (IsChanged) where the file went away or changed: look again;
// source_unavailable or source_permission_denied where it cannot be read;
// scratch_unavailable, scratch_no_space or scratch_permission_denied where the
// copy cannot be written; else what LogFile says. One thread.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/image/log_scanner.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

// Tells a file from another that took its name.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  absl::Time modified;

  static FileIdentity Of(const FileInfo& info) {
    return {info.device, info.inode, info.size, info.modified};
  }
  bool IsSameFile(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
  // And has not been written.
  bool operator==(const FileIdentity& other) const {
    return IsSameFile(other) && size == other.size &&
           modified == other.modified;
  }
};

absl::Status Changed(absl::string_view name, absl::string_view what);
inline bool IsChanged(const absl::Status& status) {
  return absl::IsAborted(status);
}

// Changed where there is no file, or an empty one.
absl::StatusOr<FileIdentity> Identify(FileSystem& folder,
                                      const std::string& name);

// Its first bytes, up to `count`. Changed where there is no file, or an empty
// one.
absl::StatusOr<std::string> ReadFront(FileSystem& folder,
                                      const std::string& name, size_t count);

// All of a file that is complete. Replaces `to`/`name`.
absl::Status CopyWhole(FileSystem& from, const std::string& name,
                       FileSystem& to, FileIdentity& identity);

// A log that may be growing, up to the end of its last whole transaction. A log
// without records is not copied: then the end is at kLogHeaderBytes or below.
absl::StatusOr<LogEnd> CopyLog(FileSystem& from, const std::string& name,
                               const KeyRegistry& keys, FileSystem& to);

// Where the records of a log from byte `start` on end. Reads little more than
// these: a log that is open is some GiB of nothing behind them.
absl::StatusOr<LogEnd> FindLogEnd(FileSystem& from, const std::string& name,
                                  const KeyRegistry& keys, uint64_t start);

// The same of a log that is open already and has no hole behind its records:
// all of it is read.
absl::StatusOr<LogEnd> FindLogEnd(std::unique_ptr<RandomFile> log,
                                  const KeyRegistry& keys, uint64_t start);

// A small file, whole: MANIFEST, KEYREGISTRY. NOT_FOUND where there is none.
absl::StatusOr<std::string> ReadSmall(FileSystem& from, const std::string& name,
                                      FileIdentity& identity);
absl::Status WriteSmall(FileSystem& to, const std::string& name,
                        absl::string_view bytes);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_LIVE_FILE_H_
