/* An empty list. */
#define ZOO_FACTORIES zoo_factories
#define ZOO_FACTORY_COUNT 0
#include "zoo.h"
