#ifndef SLUICE_PLUGINS_BADGER_LIVE_HELD_FILES_H_
#define SLUICE_PLUGINS_BADGER_LIVE_HELD_FILES_H_

// The files of a live directory of which an image holds whole copies, so that
// another look at the directory copies only what is new.
//
//   HeldFiles tables(source, image);
//   SLUICE_RETURN_IF_ERROR(tables.Hold("000001.sst"));
//
// Thread-safe; one name is asked for by one thread at a time. Errors: those of
// CopyWhole (live_file.h), so Changed where a file has gone.

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "sluice/base/file_system.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/badger/live/live_file.h"

namespace sluice {
namespace badger {

class HeldFiles {
 public:
  // Borrows both. `image` is the folder that is copied to.
  HeldFiles(FileSystem& source, FileSystem& image)
      : source_(source), image_(image) {}

  // Copies the file, unless what is held was copied of the same one.
  absl::Status Hold(const std::string& name);
  // For a file that is never written again, only deleted: a copy that is held
  // outlives that.
  absl::Status HoldClosed(const std::string& name);

  bool Holds(const std::string& name) const;
  // The copy, if there is one, counts no more.
  void Forget(const std::string& name);

 private:
  absl::optional<FileIdentity> Find(const std::string& name) const;
  absl::Status Copy(const std::string& name);

  FileSystem& source_;
  FileSystem& image_;
  mutable Mutex mutex_;
  std::map<std::string, FileIdentity> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_HELD_FILES_H_
