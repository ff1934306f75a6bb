#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_WORK_QUEUE_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_WORK_QUEUE_H_

// Runs tasks on as many threads as there are sessions.
//
//   std::vector<Task> tasks;                  // taken from the front
//   tasks.push_back([&](Connection& connection) { return Copy(connection); });
//   SLUICE_RETURN_IF_ERROR(RunTasks(tasks, sessions, interrupt));
//
// The first task that fails stops the interrupt, so that the others return; its
// error is the result. No exception leaves a thread.

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"

namespace sluice::postgres {

using Task = std::function<absl::Status(Connection&)>;

absl::Status RunTasks(const std::vector<Task>& tasks,
                      const std::vector<Connection*>& sessions,
                      Interrupt& interrupt);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_WORK_QUEUE_H_
