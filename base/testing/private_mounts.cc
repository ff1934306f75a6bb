#include "sluice/base/testing/private_mounts.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace sluice {
namespace {

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string Failed(const char* what) {
  return absl::StrCat(what, ": ", std::generic_category().message(errno));
}

}  // namespace

std::string EnterPrivateMounts() {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return Failed("unshare");
    WriteFile("/proc/self/setgroups", "deny");
    WriteFile("/proc/self/uid_map", absl::StrCat(uid, " ", uid, " 1"));
    WriteFile("/proc/self/gid_map", absl::StrCat(gid, " ", gid, " 1"));
  }
  // EINVAL: in a chroot the root is no mount point. What is mounted may then be
  // seen from outside, until the test unmounts it.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 &&
      errno != EINVAL) {
    return Failed("make mounts private");
  }
  return "";
}

bool MountsAreExcused() {
  const char* const value = getenv("SLUICE_TEST_NO_MOUNTS");
  return value != nullptr && std::string(value) == "1";
}

}  // namespace sluice
