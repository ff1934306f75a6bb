/* No list. */
#define ZOO_FACTORIES NULL
#define ZOO_FACTORY_COUNT 1
#include "zoo.h"
