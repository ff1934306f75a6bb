#ifndef SLUICE_PLUGINS_POSTGRES_SPOOL_FILE_H_
#define SLUICE_PLUGINS_POSTGRES_SPOOL_FILE_H_

// A file of its own for what a program must be given by path.
//
//   SLUICE_ASSIGN_OR_RETURN(auto spool, SpoolFile::Create(file_system,
//   folder)); SLUICE_RETURN_IF_ERROR(spool->Append(bytes));
//   SLUICE_RETURN_IF_ERROR(spool->Close());
//   Run("pg_restore", spool->path());
//
// Only its owner may read it; it is removed with the object. Not synced: it is
// of no use after a power cut. One thread. Errors: scratch_unavailable.

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

  const std::string& path() const { return path_; }

 private:
  SpoolFile(FileSystem* file_system, std::string path,
            std::unique_ptr<File> file);

  FileSystem* const file_system_;
  const std::string path_;
  std::unique_ptr<File> file_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_SPOOL_FILE_H_
