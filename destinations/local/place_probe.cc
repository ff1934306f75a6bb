#include "sluice/destinations/local/place_probe.h"

#include <errno.h>
#include <fcntl.h>

#include <memory>
#include <string>
#include <utility>

#include "sluice/base/status_macros.h"
#include "sluice/destinations/local/errors.h"
#include "sluice/destinations/local/object_path.h"

namespace sluice {
namespace {

constexpr uint32_t kFileMode = 0600;

// Files of temporary names, so that a probe that dies leaves only what a sweep
// removes.
class Probe {
 public:
  Probe(const PlaceFolder& place, FileSystem& root)
      : place_(place), root_(root) {}

  ~Probe() {
    for (const std::string* path : {&first_, &second_, &third_}) {
      (void)root_.Unlink(*path);
    }
  }

  absl::StatusOr<ProbeResult> Run() {
    ProbeResult result;
    SLUICE_ASSIGN_OR_RETURN(result.now, Put(first_));
    SLUICE_RETURN_IF_ERROR(Put(second_).status());
    SLUICE_ASSIGN_OR_RETURN(result.publishes_without_replacing, Refuses());
    const int error = root_.SyncDirectory(".");
    if (error != 0 && !IsUnsupported(error)) {
      return place_.Error("sync folder", "", error);
    }
    result.syncs_folders = error == 0;
    return result;
  }

 private:
  absl::StatusOr<absl::Time> Put(const std::string& path) {
    IoResult<std::unique_ptr<File>> file =
        root_.Open(path, O_WRONLY | O_CREAT | O_EXCL, kFileMode);
    if (!file.ok()) return place_.Error("create", path, file.error);
    const IoResult<size_t> written = file.value->Write("probe");
    if (!written.ok()) return place_.Error("write", path, written.error);
    if (const int error = file.value->Sync(); error != 0) {
      return place_.Error("sync", path, error);
    }
    const IoResult<FileInfo> info = file.value->Stat();
    if (!info.ok()) return place_.Error("look at", path, info.error);
    if (const int error = file.value->Close(); error != 0) {
      return place_.Error("close", path, error);
    }
    return info.value.modified;
  }

  // Both answers are looked at: some file systems take the flag and replace all
  // the same.
  absl::StatusOr<bool> Refuses() {
    int error = root_.RenameNoReplace(first_, second_);
    if (error == EEXIST) {
      error = root_.RenameNoReplace(first_, third_);
      if (error == 0) return true;
    }
    if (error == 0) return false;
    if (!IsUnsupported(error)) return place_.Error("rename", first_, error);
    error = root_.Link(first_, second_);
    if (error == EEXIST) error = root_.Link(first_, third_);
    if (error == 0) return true;
    if (error == EPERM || error == EMLINK || IsUnsupported(error)) return false;
    return place_.Error("link", first_, error);
  }

  const PlaceFolder& place_;
  FileSystem& root_;
  const std::string first_ = NewTemporary(NewProbeName());
  const std::string second_ = NewTemporary(NewProbeName());
  const std::string third_ = NewTemporary(NewProbeName());
};

}  // namespace

absl::StatusOr<ProbeResult> ProbePlace(const PlaceFolder& place,
                                       FileSystem& root) {
  return Probe(place, root).Run();
}

}  // namespace sluice
