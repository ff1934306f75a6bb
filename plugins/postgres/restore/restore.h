#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_H_

// Restores a payload into an empty database, so that pg_dump cannot tell the
// copy from the original.
//
//   RestoreOptions options;
//   options.target = connection_options;
//   return RestoreDatabase(run, request, options);
//
//   1  head         the target is looked at: all that is missing is one refusal
//   2  schema.dump  a staging database is created beside the target;
//                   pg_restore --section=pre-data; constraints that rows may
//                   break while they come in no order are taken off
//   3  rows         as they come, over several sessions; large objects
//   4  index, end   rows, bytes and digests are those that the source counted
//   5               sequences; pg_restore --section=post-data with as many
//                   jobs; the constraints again, held against all rows;
//                   materialized views
//   6               owner, rights, settings, comment, limit, store id; both
//                   databases change names in one transaction; the old is
//                   dropped
//
// Before 6 nobody sees a change, whatever happens, unless RestoreOptions::
// in_place was asked for. What a process that was killed, or had no time, has
// left is removed by the next restore or backup on that server (leftovers.h).
// Encoding, locale and tablespace stay the target's.
//
// An archive is code: definitions run on the server with the rights of who
// restores. Text of a payload reaches SQL quoted, as a number or out of a fixed
// list; none runs in another database than the one that is filled, and none
// reaches a shell or psql.
//
// Warnings: target_differs (encoding, locale, an extension's version),
// pg_restore_warning (what it said), constraint_not_valid (disable_checks),
// view_not_refreshed, rights_not_restored, setting_not_restored,
// store_id_not_kept (only a superuser may), old_database_kept (somebody wrote
// into it meanwhile), staging_database_left (after a failure).
//
// Memory: RestoreOptions::queue_bytes, or the largest row twice. Blocks; starts
// threads and joins them; other restores may run beside it. Errors:
// restore_precondition_failed (with hints), archive_damaged,
// scratch_unavailable, cancelled within a second, and those of sql_error.h.

#include "absl/status/status.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::postgres {

absl::Status RestoreDatabase(const sdk::Run& run, sdk::RestoreRequest& request,
                             const RestoreOptions& options);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_H_
