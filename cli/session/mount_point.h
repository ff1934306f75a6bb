#ifndef SLUICE_CLI_SESSION_MOUNT_POINT_H_
#define SLUICE_CLI_SESSION_MOUNT_POINT_H_

// Whether a folder may be waiting for a disk.

#include <string>

namespace sluice::cli {

// The folder where `path`, absolute, is or would be made, if that is an empty
// one with nothing mounted on it: so looks the mount point of a disk that is
// away. Empty where it holds anything, is a mount point now, or cannot be seen.
// Only looks. Any thread.
std::string EmptyMountPoint(std::string path);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SESSION_MOUNT_POINT_H_
