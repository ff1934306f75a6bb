#ifndef SLUICE_CLI_SERVE_ACCESS_LOG_H_
#define SLUICE_CLI_SERVE_ACCESS_LOG_H_

// A line for each request that is over, written by a thread of its own: who
// reads the log may be slow, and the thread that moves the API's bytes waits for
// nobody. What is too much is counted, and the count is told.
//
//   SLUICE_ASSIGN_OR_RETURN(auto log, AccessLog::Start(&console));
//   options.access_log = [&](const http::AccessRecord& r) { log->Add(r); };
//
// Thread-safe. Probes that went well (/healthz, /readyz, /metrics) are left out.

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/service/http/server/http_server.h"

namespace sluice::cli {

class AccessLog {
 public:
  static constexpr size_t kMostWaiting = 1000;

  // Borrows the console. resource_exhausted where there is no thread.
  static absl::StatusOr<std::unique_ptr<AccessLog>> Start(Console* console);
  // Writes what waits.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Never blocks for the console.
  void Add(const http::AccessRecord& record);

 private:
  explicit AccessLog(Console* console) : console_(console) {}
  void Run();

  Console* const console_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<http::AccessRecord> waiting_ ABSL_GUARDED_BY(mutex_);
  uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SERVE_ACCESS_LOG_H_
