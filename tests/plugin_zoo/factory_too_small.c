/* The factory ends before its last function. */
#define ZOO_FACTORY_SIZE offsetof(sluice_factory, command)
#include "zoo.h"
