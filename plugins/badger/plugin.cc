// The only file that sluice-source-badger.so adds to :factory.

#include "sluice/plugins/badger/factory.h"
#include "sluice/plugins/sdk/factory.h"

SLUICE_EXPORT_PLUGIN(sluice::kBadgerPlugin);
