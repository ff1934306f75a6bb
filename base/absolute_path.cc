#include "sluice/base/absolute_path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

absl::Status Refused(absl::string_view message, absl::string_view hint) {
  return InvalidArgument(message, hint);
}

absl::StatusOr<std::string> CurrentFolder() {
  std::string folder(PATH_MAX, '\0');
  if (getcwd(folder.data(), folder.size()) == nullptr) {
    return Refused(absl::StrCat("a relative path leads nowhere: the current "
                                "folder cannot be named: ",
                                strerror(errno)),
                   "give the whole path");
  }
  folder.resize(strlen(folder.c_str()));
  return folder;
}

// `path` with its "~" taken out.
absl::StatusOr<std::string> WithHome(absl::string_view path) {
  if (!absl::StartsWith(path, "~")) return std::string(path);
  if (path.size() > 1 && path[1] != '/') {
    return Refused(
        absl::StrCat(path.substr(0, path.find('/')), " is not expanded"),
        absl::StrCat("give the whole path; of a folder of that name, ./",
                     path));
  }
  const char* home = getenv("HOME");
  if (home == nullptr || *home != '/') {
    return Refused("~ is not expanded: HOME is not set", "give the whole path");
  }
  return absl::StrCat(home, path.substr(1));
}

// The folder above `path`, which has no ".".
std::string Above(const std::string& path) {
  struct stat info {};
  std::string real = path;
  if (lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
    char* resolved = realpath(path.c_str(), nullptr);
    if (resolved != nullptr) real = resolved;
    free(resolved);
  }
  const size_t slash = real.rfind('/');
  return slash == std::string::npos ? "" : real.substr(0, slash);
}

}  // namespace

absl::StatusOr<std::string> AbsolutePath(absl::string_view path) {
  if (path.empty() || absl::StrContains(path, '\0')) {
    return Refused("a path is empty, or holds a NUL", "give the path");
  }
  SLUICE_ASSIGN_OR_RETURN(std::string whole, WithHome(path));
  std::string absolute;
  if (whole.front() != '/') {
    SLUICE_ASSIGN_OR_RETURN(absolute, CurrentFolder());
    if (absolute == "/") absolute.clear();
  }
  for (const absl::string_view part :
       absl::StrSplit(whole, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part == "..") {
      absolute = Above(absolute);
    } else {
      absl::StrAppend(&absolute, "/", part);
    }
  }
  return absolute.empty() ? "/" : absolute;
}

bool IsWithin(absl::string_view path, absl::string_view folder) {
  if (folder == "/") return true;
  return absl::ConsumePrefix(&path, folder) &&
         (path.empty() || path.front() == '/');
}

}  // namespace sluice
