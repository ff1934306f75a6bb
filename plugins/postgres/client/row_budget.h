#ifndef SLUICE_PLUGINS_POSTGRES_CLIENT_ROW_BUDGET_H_
#define SLUICE_PLUGINS_POSTGRES_CLIENT_ROW_BUDGET_H_

// What the sessions of a backup may hold in long rows, all together: so many
// bytes, or one row that is longer. A row must lie in memory whole, so that
// without this a table of long ones costs as many of them as there are
// sessions.
//
//   RowBudget budget(16 << 20);                        // one for all sessions
//   SLUICE_RETURN_IF_ERROR(budget.Take(bytes, interrupt));
//   ... the row is read and used ...
//   budget.GiveBack(bytes);
//
// Those who wait are served in the order in which they came, so a long row is
// not kept waiting by short ones. Thread-safe.

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/postgres/client/interrupt.h"

namespace sluice::postgres {

class RowBudget {
 public:
  explicit RowBudget(uint64_t bytes) : bytes_(bytes) {}
  RowBudget(const RowBudget&) = delete;
  RowBudget& operator=(const RowBudget&) = delete;

  // Blocks until there is room, or until the interrupt says stop; then nothing
  // was taken, and later calls may wait for ever unless they are stopped, too.
  absl::Status Take(uint64_t bytes, const Interrupt& interrupt);
  void GiveBack(uint64_t bytes);

 private:
  const uint64_t bytes_;
  Mutex mutex_;
  CondVar changed_;
  uint64_t held_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t arrived_ ABSL_GUARDED_BY(mutex_) = 0;  // calls of Take so far
  uint64_t served_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_CLIENT_ROW_BUDGET_H_
