#ifndef SLUICE_PLUGINS_BADGER_LIVE_READING_FILE_SYSTEM_H_
#define SLUICE_PLUGINS_BADGER_LIVE_READING_FILE_SYSTEM_H_

// A file system that is only read, and no longer than the run goes on: what
// reads a database through it cannot change it, and sees a cancel at its next
// read.
//
//   ReadingFileSystem files(FileSystem::Posix(), run);
//   const auto image = Image::Open(files, options);
//   if (!image.ok()) return CauseOf(run, image.status());
//
// Calls that change anything answer EROFS; all others ECANCELED once the run is
// cancelled. Thread-safe where `inner` is.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "sluice/base/file_system.h"
#include "sluice/base/read_only_file_system.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {

class ReadingFileSystem final : public ReadOnlyFileSystem {
 public:
  // Borrows `inner`.
  ReadingFileSystem(FileSystem* inner, const sdk::Run& run)
      : inner_(inner), run_(run) {}
  ReadingFileSystem(std::unique_ptr<FileSystem> inner, const sdk::Run& run)
      : owned_(std::move(inner)), inner_(owned_.get()), run_(run) {}

  IoResult<std::unique_ptr<File>> Open(const std::string& path, int flags,
                                       uint32_t mode) override;
  IoResult<FileInfo> Stat(const std::string& path) override;
  IoResult<std::vector<DirectoryEntry>> List(const std::string& path) override;
  IoResult<std::unique_ptr<FileSystem>> Beneath(
      const std::string& folder) override;
  IoResult<uint64_t> LargestFile(const std::string& path) override;

 private:
  const std::unique_ptr<FileSystem> owned_;
  FileSystem* const inner_;
  const sdk::Run run_;
};

// `status`, or CANCELLED where it failed because the run was cancelled.
inline absl::Status CauseOf(const sdk::Run& run, const absl::Status& status) {
  if (status.ok() || !run.cancelled()) return status;
  return run.status();
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_READING_FILE_SYSTEM_H_
