#include "sluice/base/testing/memory_folder.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace sluice {

std::string MakeMemoryFolder(absl::string_view prefix) {
  constexpr uint64_t kRoom = uint64_t{2} << 30;
  struct statvfs disk {};
  const bool serves = statvfs("/dev/shm", &disk) == 0 &&
                      uint64_t{disk.f_bavail} * disk.f_frsize >= kRoom &&
                      (disk.f_flag & ST_NOEXEC) == 0;
  std::string name =
      absl::StrCat(serves ? "/dev/shm/" : "/tmp/", prefix, "-XXXXXX");
  return mkdtemp(name.data()) == nullptr ? "" : name;
}

}  // namespace sluice
