/* Needs a function that nobody has; RTLD_NOW finds out at load. */
#include "sluice/plugins/abi/sluice_plugin.h"
sluice_code nobody_has_this(void* self, const sluice_run* run,
                            sluice_source_info* info, sluice_error* error);
#define ZOO_DESCRIBE nobody_has_this
#include "zoo.h"
