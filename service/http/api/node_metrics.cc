#include "sluice/service/http/api/node_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sluice::service {
namespace {

void Add(std::string& text, absl::string_view name, absl::string_view type,
         absl::string_view help, double value, absl::string_view labels = "") {
  absl::StrAppend(&text, "# HELP ", name, " ", help, "\n# TYPE ", name, " ",
                  type, "\n", name, labels, " ", absl::StrFormat("%.3f", value),
                  "\n");
}

double CpuSeconds() {
  rusage used = {};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// 0: unknown.
double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) *
         static_cast<double>(sysconf(_SC_PAGESIZE));
}

// 0: unknown.
int OpenDescriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int count = 0;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count - 1;  // the folder itself
}

}  // namespace

std::string NodeMetricsText(const NodeFacts& facts) {
  std::string text;
  Add(text, "sluice_node_info", "gauge", "1, labelled with the version.", 1,
      absl::StrCat("{version=\"", facts.version, "\"}"));
  Add(text, "sluice_node_jobs_running", "gauge", "Jobs that run here.",
      facts.running_jobs);
  Add(text, "sluice_node_working", "gauge",
      "1 while schedules and workers reach the catalog.", facts.is_working);
  Add(text, "sluice_node_draining", "gauge", "1 once it is to stop.",
      facts.is_draining);
  Add(text, "process_start_time_seconds", "gauge", "When it began to serve.",
      static_cast<double>(absl::ToUnixMillis(facts.started)) / 1000);
  Add(text, "process_cpu_seconds_total", "counter",
      "Processor time, of all threads.", CpuSeconds());
  if (const double resident = ResidentBytes(); resident > 0) {
    Add(text, "process_resident_memory_bytes", "gauge", "Memory in use.",
        resident);
  }
  if (const int open = OpenDescriptors(); open > 0) {
    Add(text, "process_open_fds", "gauge", "Open descriptors.", open);
  }
  return text;
}

}  // namespace sluice::service
