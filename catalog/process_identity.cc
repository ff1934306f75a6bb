#include "sluice/catalog/process_identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sluice {
namespace {

std::string ReadSmallFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return "";
  char buffer[4096];
  const ssize_t size = read(descriptor, buffer, sizeof(buffer));
  close(descriptor);
  return size <= 0 ? "" : std::string(buffer, static_cast<size_t>(size));
}

std::string ReadLink(const std::string& path) {
  char buffer[256];
  const ssize_t size = readlink(path.c_str(), buffer, sizeof(buffer));
  return size <= 0 ? "" : std::string(buffer, static_cast<size_t>(size));
}

struct ProcessStat {
  char state = 0;
  int64_t start_ticks = 0;
};

// False where /proc tells nothing of it.
bool ReadStat(int64_t pid, ProcessStat& stat) {
  const std::string text = ReadSmallFile(absl::StrCat("/proc/", pid, "/stat"));
  // The command's name stands in parentheses and may hold any byte.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size())
    return false;
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(name_end + 2), ' ');
  // Field 3 of proc(5) is the first one here; the start time is field 22.
  if (fields.size() < 20 || fields[0].empty()) return false;
  stat.state = fields[0][0];
  return absl::SimpleAtoi(fields[19], &stat.start_ticks);
}

// A main thread that has ended shows as a zombie while others go on.
bool HasOtherThreads(int64_t pid) {
  DIR* tasks = opendir(absl::StrCat("/proc/", pid, "/task").c_str());
  if (tasks == nullptr) return true;
  int threads = 0;
  while (const dirent* entry = readdir(tasks))
    if (entry->d_name[0] != '.') ++threads;
  closedir(tasks);
  return threads > 1;
}

}  // namespace

ProcessIdentity CurrentProcess() {
  ProcessIdentity self;
  self.pid = getpid();
  ProcessStat stat;
  if (ReadStat(self.pid, stat)) self.start_ticks = stat.start_ticks;
  self.machine_id =
      std::string(absl::StripAsciiWhitespace(ReadSmallFile("/etc/machine-id")));
  self.boot_id = std::string(absl::StripAsciiWhitespace(
      ReadSmallFile("/proc/sys/kernel/random/boot_id")));
  self.pid_namespace = ReadLink("/proc/self/ns/pid");
  self.time_namespace = ReadLink("/proc/self/ns/time");
  return self;
}

bool SharesBootClock(const ProcessIdentity& a, const ProcessIdentity& b) {
  return !a.boot_id.empty() && a.boot_id == b.boot_id &&
         a.time_namespace == b.time_namespace;
}

bool IsProvablyDead(const ProcessIdentity& self, const ProcessIdentity& other) {
  if (!self.machine_id.empty() && self.machine_id == other.machine_id &&
      !self.boot_id.empty() && !other.boot_id.empty() &&
      self.boot_id != other.boot_id)
    return true;
  if (!SharesBootClock(self, other) || self.pid_namespace.empty() ||
      self.pid_namespace != other.pid_namespace || other.pid <= 0 ||
      other.start_ticks <= 0)
    return false;
  if (kill(static_cast<pid_t>(other.pid), 0) != 0 && errno == ESRCH)
    return true;
  ProcessStat stat;
  if (!ReadStat(other.pid, stat)) return false;
  if (stat.start_ticks != other.start_ticks) return true;
  return (stat.state == 'Z' || stat.state == 'X') &&
         !HasOtherThreads(other.pid);
}

}  // namespace sluice
