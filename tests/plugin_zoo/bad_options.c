/* A table of options whose stride leads nowhere. */
#include "sluice/plugins/abi/sluice_plugin.h"
static const sluice_option_spec specs[2];
#define ZOO_OPTIONS specs
#define ZOO_OPTION_COUNT 2
#define ZOO_OPTION_STRIDE 1
#include "zoo.h"
