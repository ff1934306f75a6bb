#include "sluice/cli/serve/access_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/time.h"
#include "sluice/base/status_macros.h"

namespace sluice::cli {
namespace {

constexpr absl::string_view kProbes[] = {"/healthz", "/readyz", "/metrics",
                                         "/metrics/node"};

bool IsProbe(const http::AccessRecord& record) {
  return record.status == 200 &&
         std::find(std::begin(kProbes), std::end(kProbes), record.route) !=
             std::end(kProbes);
}

void Write(Console& console, const http::AccessRecord& record) {
  console.Log(LogLevel::kInfo, "request",
              {{"method", record.method},
               {"route", record.route},
               {"status", record.status},
               {"ms", absl::ToInt64Milliseconds(record.duration)},
               {"bytes", record.body_bytes}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<AccessLog>> AccessLog::Start(Console* console) {
  std::unique_ptr<AccessLog> log(new AccessLog(console));
  SLUICE_ASSIGN_OR_RETURN(
      log->thread_, Thread::Start("log", [raw = log.get()] { raw->Run(); }));
  return log;
}

AccessLog::~AccessLog() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    ends_ = true;
    changed_.NotifyAll();
  }
  thread_.Join();
}

void AccessLog::Add(const http::AccessRecord& record) {
  if (IsProbe(record)) return;
  MutexLock lock(mutex_);
  if (waiting_.size() >= kMostWaiting) {
    ++lost_;
    return;
  }
  waiting_.push_back(record);
  changed_.NotifyAll();
}

void AccessLog::Run() {
  bool ends = false;
  while (!ends) {
    std::vector<http::AccessRecord> records;
    uint64_t lost = 0;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !ends_) changed_.Wait(lock);
      records.swap(waiting_);
      lost = std::exchange(lost_, 0);
      ends = ends_;
    }
    for (const http::AccessRecord& record : records) Write(*console_, record);
    if (lost > 0) {
      console_->Log(LogLevel::kWarning, "requests not logged",
                    {{"count", lost}});
    }
  }
}

}  // namespace sluice::cli
