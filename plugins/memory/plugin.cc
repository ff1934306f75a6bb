// The only file that sluice-source-memory.so adds to :factory.

#include "sluice/plugins/memory/factory.h"
#include "sluice/plugins/sdk/factory.h"

SLUICE_EXPORT_PLUGIN(sluice::kMemoryPlugin);
