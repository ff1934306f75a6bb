/* The source ends before restore(). */
#define ZOO_SOURCE_SIZE offsetof(sluice_source, restore)
#include "zoo.h"
