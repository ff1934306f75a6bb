// The only file that sluice-place-local.so adds to :factory.

#include "sluice/destinations/local/factory.h"
#include "sluice/plugins/sdk/factory.h"

SLUICE_EXPORT_PLUGIN(sluice::kLocalPlugin);
