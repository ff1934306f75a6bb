#ifndef SLUICE_CATALOG_SQLITE_HAPPENINGS_H_
#define SLUICE_CATALOG_SQLITE_HAPPENINGS_H_

// Events and totals, written by whoever makes them happen, in the same
// transaction. Each function is part of its caller's; errors are those of
// sqlite.h.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/catalog/event_log.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// `event.id` is drawn here.
absl::Status AppendEvent(SqliteConnection& connection,
                         const CatalogEvent& event);
absl::Status AddToTotalRow(SqliteConnection& connection,
                           const CatalogTotal& by);

// The event `type` of a job as it is now.
absl::Status NoteJob(SqliteConnection& connection, absl::string_view type,
                     const BackupJob& job, absl::Time at);
// A job that has become terminal: the event, the totals of its plan and repo,
// and of a backup that succeeded the store that its plan last saw.
absl::Status NoteJobEnded(SqliteConnection& connection, const BackupJob& job,
                          absl::Time at);

// Ends a pending job, as interrupted.
absl::Status EndPendingJob(SqliteConnection& connection, BackupJob job,
                           const absl::Status& cause, absl::Time now);

// Upper bounds of the buckets of "run_seconds".
const std::vector<int64_t>& RunSecondsBuckets();

class SqliteEvents final : public EventLog {
 public:
  // Borrows it.
  explicit SqliteEvents(SqliteDatabase* database) : database_(database) {}

  absl::Status Append(const Context& context,
                      const CatalogEvent& event) override;
  absl::StatusOr<std::vector<CatalogEvent>> Read(const Context& context,
                                                 int64_t after,
                                                 size_t limit) override;
  absl::StatusOr<Range> Bounds(const Context& context) override;
  absl::StatusOr<int64_t> DataVersion(const Context& context) override;
  absl::StatusOr<size_t> DeleteEvents(const Context& context,
                                      absl::Time before) override;
  absl::StatusOr<std::vector<CatalogTotal>> Totals(
      const Context& context) override;
  absl::Status AddToTotal(const Context& context,
                          const CatalogTotal& by) override;

 private:
  SqliteDatabase* const database_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_HAPPENINGS_H_
