/* The entry ends before its factories. */
#define ZOO_ENTRY_SIZE offsetof(sluice_plugin_entry, factories)
#include "zoo.h"
