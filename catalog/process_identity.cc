#include "sluice/catalog/process_identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
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

// When it started; false where /proc tells nothing of it.
bool ReadStartTicks(int64_t pid, int64_t& start_ticks) {
  const std::string text = ReadSmallFile(absl::StrCat("/proc/", pid, "/stat"));
  // The command's name stands in parentheses and may hold any byte.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size())
    return false;
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(name_end + 2), ' ');
  // Field 3 of proc(5) is the first one here; the start time is field 22.
  return fields.size() > 19 && absl::SimpleAtoi(fields[19], &start_ticks);
}

// The ids of its threads; empty where /proc tells nothing of it.
std::vector<std::string> ThreadsOf(int64_t pid) {
  std::vector<std::string> threads;
  DIR* tasks = opendir(absl::StrCat("/proc/", pid, "/task").c_str());
  if (tasks == nullptr) return threads;
  while (const dirent* entry = readdir(tasks))
    if (entry->d_name[0] != '.') threads.push_back(entry->d_name);
  closedir(tasks);
  return threads;
}

// True where no thread of it runs any code of its own again: each has ended, or
// was killed and only hangs in a system call that the kernel cannot break off.
bool RunsNoMore(int64_t pid) {
  const std::vector<std::string> threads = ThreadsOf(pid);
  for (const std::string& thread : threads) {
    const std::string status =
        ReadSmallFile(absl::StrCat("/proc/", pid, "/task/", thread, "/status"));
    if (!ThreadIsOver(status)) return false;
  }
  return !threads.empty();
}

}  // namespace

bool ThreadIsOver(absl::string_view proc_status) {
  constexpr uint64_t kKill = uint64_t{1} << (SIGKILL - 1);
  for (const absl::string_view line : absl::StrSplit(proc_status, '\n')) {
    absl::string_view value = line;
    if (absl::ConsumePrefix(&value, "State:\t")) {
      if (absl::StartsWith(value, "Z") || absl::StartsWith(value, "X"))
        return true;
    }
    uint64_t pending = 0;
    if ((absl::ConsumePrefix(&value, "SigPnd:\t") ||
         absl::ConsumePrefix(&value, "ShdPnd:\t")) &&
        absl::SimpleHexAtoi(value, &pending) && (pending & kKill) != 0)
      return true;
  }
  return false;
}

std::string MachineIdIn(absl::string_view text) {
  constexpr size_t kDigits = 32;
  const absl::string_view id = absl::StripAsciiWhitespace(text);
  const bool is_id =
      id.size() == kDigits &&
      std::all_of(id.begin(), id.end(),
                  [](unsigned char c) { return absl::ascii_isxdigit(c); }) &&
      id.find_first_not_of('0') != absl::string_view::npos;
  return is_id ? std::string(id) : "";
}

ProcessIdentity CurrentProcess() {
  ProcessIdentity self;
  self.pid = getpid();
  ReadStartTicks(self.pid, self.start_ticks);
  self.machine_id = MachineIdIn(ReadSmallFile("/etc/machine-id"));
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
  int64_t start_ticks = 0;
  if (!ReadStartTicks(other.pid, start_ticks)) return false;
  return start_ticks != other.start_ticks || RunsNoMore(other.pid);
}

}  // namespace sluice
