/* A role that is not known, with functions that mean something else, beside one
 * that is. */
#define ZOO_LIST &stranger, &zoo_factory
#define ZOO_FACTORIES zoo_factories
#define ZOO_FACTORY_COUNT 2
#include <stddef.h>

#include "sluice/plugins/abi/sluice_plugin.h"

static const sluice_factory stranger = {
    .struct_size = sizeof(sluice_factory),
    .role = 77,
    .kind = {NULL, 12},
};

#include "zoo.h"
