#include "sluice/plugins/postgres/backup/work_queue.h"

#include <atomic>
#include <cstddef>

#include "sluice/plugins/sdk/workers.h"

namespace sluice::postgres {

absl::Status RunTasks(const std::vector<Task>& tasks,
                      const std::vector<Connection*>& sessions,
                      Interrupt& interrupt) {
  std::atomic<size_t> next{0};
  return sdk::RunWorkers(
      static_cast<int>(sessions.size()),
      [&](int worker) {
        while (interrupt.status().ok()) {
          const size_t mine = next.fetch_add(1, std::memory_order_relaxed);
          if (mine >= tasks.size()) return absl::OkStatus();
          const absl::Status status =
              tasks[mine](*sessions[static_cast<size_t>(worker)]);
          if (!status.ok()) return status;
        }
        return interrupt.status();
      },
      [&] { interrupt.Stop(); });
}

}  // namespace sluice::postgres
