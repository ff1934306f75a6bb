#include "sluice/cli/session/mount_point.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace sluice::cli {

std::string EmptyMountPoint(std::string path) {
  struct stat info {};
  while (stat(path.c_str(), &info) != 0) {
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos || slash == 0) return "";
    path.resize(slash);
  }
  std::error_code error;
  if (!std::filesystem::is_empty(path, error) || error) return "";
  struct stat above {};
  if (stat((path + "/..").c_str(), &above) != 0) return "";
  return info.st_dev == above.st_dev ? path : "";
}

}  // namespace sluice::cli
