/* The same role and kind twice. */
#define ZOO_LIST &zoo_factory, &zoo_factory
#define ZOO_FACTORIES zoo_factories
#define ZOO_FACTORY_COUNT 2
#include "zoo.h"
