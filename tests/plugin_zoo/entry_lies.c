/* The entry says that it is larger than it is in the file. */
#define ZOO_ENTRY_SIZE (sizeof(sluice_plugin_entry) + 64)
#include "zoo.h"
