/* A hole in the list. */
#define ZOO_LIST &zoo_factory, NULL
#define ZOO_FACTORIES zoo_factories
#define ZOO_FACTORY_COUNT 2
#include "zoo.h"
