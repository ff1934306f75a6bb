#ifndef SLUICE_PLUGINS_POSTGRES_POSTGRES_SOURCE_H_
#define SLUICE_PLUGINS_POSTGRES_POSTGRES_SOURCE_H_

// One database of a PostgreSQL server as a source: backup.h, restore.h.
//
// Its store id (docs/adr/0009-…) is the one given, else the one that the
// database bears, else one that follows from the server and the database. An
// empty database that bears none has none yet: any archive may be restored into
// it. Every call opens its own sessions; an object holds none.

#include <memory>

#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::postgres {

struct PostgresSourceOptions {
  BackupOptions backup;
  RestoreOptions restore;  // `target` is backup.connection's
};

std::unique_ptr<sdk::Source> MakePostgresSource(PostgresSourceOptions options);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_POSTGRES_SOURCE_H_
