/* A count that is no count. */
#define ZOO_FACTORIES zoo_factories
#define ZOO_FACTORY_COUNT 0xFFFFFFFFu
#include "zoo.h"
