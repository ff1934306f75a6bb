/* Speaks another major version; all else could mean anything, and crashes. */
#define ZOO_MAJOR 2
#define ZOO_FACTORIES ((const sluice_factory* const*)8)
#define ZOO_FACTORY_COUNT 1
#define ZOO_NO_LIST
#include "zoo.h"
