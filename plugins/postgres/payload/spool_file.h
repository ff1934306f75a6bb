#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_SPOOL_FILE_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_SPOOL_FILE_H_

// A file of its own for what a program must be given by path.
//
//   SLUICE_ASSIGN_OR_RETURN(auto spool,
//                           SpoolFile::Create(file_system, folder));
//   SLUICE_RETURN_IF_ERROR(spool->Append(bytes));
//   SLUICE_RETURN_IF_ERROR(spool->Close());
//   process.arguments.push_back(spool->path());
//   process.files.push_back(spool->descriptor());
//
// Only its owner may read it. Its name is removed as soon as it is open, so
// that nothing of it stays however the process ends; it is reached by its
// descriptor, /dev/fd/N, by this process and by those that are given it. Only
// where there is no /dev/fd it keeps its name until the object's end. Not
// synced: it is of no use after a power cut. One thread. Errors:
// scratch_unavailable.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"

namespace sluice::postgres {

class SpoolFile {
 public:
  // In `folder`; empty: $TMPDIR, else /tmp. Borrows `file_system`.
  static absl::StatusOr<std::unique_ptr<SpoolFile>> Create(
      FileSystem* file_system, std::string folder);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  absl::Status Append(absl::string_view bytes);
  // No Append after it.
  absl::Status Close();

  // To open it for reading, from its beginning.
  const std::string& path() const { return path_; }
  // What a program needs beside the path (ProcessOptions::files).
  int descriptor() const { return descriptor_; }

 private:
  SpoolFile(FileSystem* file_system, std::string name,
            std::unique_ptr<File> file);

  // Opens it a second time, for readers, and removes its name.
  absl::Status Unname();

  FileSystem* const file_system_;
  const std::string name_;
  std::string path_;
  std::unique_ptr<File> file_;  // for writing
  int descriptor_ = -1;         // for reading
  bool has_name_ = true;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_SPOOL_FILE_H_
