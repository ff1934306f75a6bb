#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_H_

// Restores a payload into an empty database, so that pg_dump cannot tell the
// copy from the original.
//
//   RestoreOptions options;
//   options.target = connection_options;
//   return RestoreDatabase(run, request, options);
//
//   1  head         the target is looked at: all that is missing is one refusal
//   2  schema.dump  a staging database is created beside the target;
//                   pg_restore --section=pre-data
//   3  rows         as they come, over several sessions; large objects
//   4  index, end   rows, bytes and digests are those that the source counted
//   5               sequences; pg_restore --section=post-data with as many
//   jobs;
//                   materialized views
//   6               owner, rights, settings, comment, limit, store id; both
//                   databases change names in one transaction; the old is
//                   dropped
//
// Before 6 nobody sees a change, whatever happens; a process that is killed
// leaves a staging database, which the next restore removes
// (staging_database.h). Encoding, locale and tablespace stay the target's.
//
// Warnings: target_differs (encoding, locale, an extension's version),
// view_not_refreshed, store_id_not_kept (only a superuser may),
// old_database_kept (somebody wrote into it meanwhile).
//
// Memory: RestoreOptions::queue_bytes, or the largest row twice. Blocks; starts
// threads and joins them; other restores may run beside it. Errors:
// restore_precondition_failed (with hints), archive_damaged,
// scratch_unavailable, cancelled within a second, and those of sql_error.h.

#include "absl/status/status.h"
#include "sluice/plugins/postgres/restore_options.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::postgres {

absl::Status RestoreDatabase(const sdk::Run& run, sdk::RestoreRequest& request,
                             const RestoreOptions& options);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_H_
