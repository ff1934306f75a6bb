// The only file that sluice-source-postgresql.so adds to :factory.

#include "sluice/plugins/postgres/factory.h"
#include "sluice/plugins/sdk/factory.h"

SLUICE_EXPORT_PLUGIN(sluice::kPostgresPlugin);
