/* A role that is not known, with functions that mean something else, beside one
 * that is. */
#define ZOO_NO_LIST
#define ZOO_NO_ENTRY
#include "zoo.h"
static const sluice_factory stranger = {
    .struct_size = sizeof(sluice_factory),
    .role = 77,
    .kind = {NULL, 12},
};
static const sluice_factory* const both[] = {&stranger, &zoo_factory};
const sluice_plugin_entry sluice_plugin = {SLUICE_ABI_MAJOR,
                                           SLUICE_ABI_MINOR,
                                           sizeof(sluice_plugin_entry),
                                           2,
                                           ZOO_TEXT("zoo"),
                                           ZOO_TEXT("1"),
                                           ZOO_TEXT("MIT"),
                                           both};
