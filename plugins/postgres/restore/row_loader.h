#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_ROW_LOADER_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_ROW_LOADER_H_

// Loads rows of many tables at once, over several sessions, in bounded memory.
//
//   RowLoader loader({.jobs = 2, ...}, tables);
//   SLUICE_RETURN_IF_ERROR(loader.AwaitRoom(size));   // before it is gathered
//   SLUICE_RETURN_IF_ERROR(loader.Add(table, std::move(rows)));
//   SLUICE_RETURN_IF_ERROR(loader.Finish());
//   loader.digest(table).Hex() == ...
//
// Each thread has a session of its own and one COPY, which goes on while parts
// of the same table come; so any thread may load any part, and one table is
// loaded by all where there is no other. Rows come back in no order. Each COPY
// commits by itself: nobody but the restore is in this database yet.
//
// Memory: `queue_bytes`, or one part where that is larger. One thread calls.
// The first error of any thread ends all and is told by the next call; it names
// the table. archive_damaged for a part that is no whole rows. Where the system
// gives no more threads, those that there are load all; resource_exhausted
// where there is none.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/row_digest.h"

namespace sluice::postgres {

struct RowLoaderOptions {
  ConnectionOptions database;
  int jobs = 2;
  uint64_t queue_bytes = 16 << 20;
  std::string encoding;  // of the rows, as PostgreSQL names it
};

class RowLoader {
 public:
  // Starts the threads. Borrows `tables` and `interrupt`, which it stops at the
  // first error, so that what else borrows it ends too.
  RowLoader(RowLoaderOptions options, const std::vector<PayloadTable>& tables,
            Interrupt* interrupt);
  // Ends what is running without finishing it.
  ~RowLoader();
  RowLoader(const RowLoader&) = delete;
  RowLoader& operator=(const RowLoader&) = delete;

  // Waits until a part of `size` bytes may be held beside those that wait.
  absl::Status AwaitRoom(uint64_t size);
  // Whole rows of the table at this place in the list.
  absl::Status Add(size_t table, std::string rows);
  // Waits until every row is in. No Add after it.
  absl::Status Finish();

  // Why the loading ended early; OK while it goes on.
  absl::Status failure();
  // After Finish.
  const RowDigest& digest(size_t table) const { return digests_[table]; }

 private:
  struct Part {
    size_t table = 0;
    std::string rows;
  };
  class Session;

  void Work();
  absl::Status LoadAll(Session& session);
  // The next part, one of `table` if there is any; nothing after the last.
  absl::optional<Part> Take(size_t table);
  void Done(const Part& part, const RowDigest& digest);
  void Fail(const absl::Status& status);
  void Join();

  const RowLoaderOptions options_;
  const std::vector<PayloadTable>& tables_;
  Interrupt* const interrupt_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<Part> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // queued or being loaded
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;      // no part comes any more
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);

  // Written under the mutex by the threads, read after they were joined.
  std::vector<RowDigest> digests_;
  std::vector<Thread> threads_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_ROW_LOADER_H_
