/* A hole in the list. */
#define ZOO_NO_LIST
#define ZOO_FACTORIES holed
#define ZOO_FACTORY_COUNT 2
#define ZOO_NO_ENTRY
#include "zoo.h"
static const sluice_factory* const holed[] = {&zoo_factory, NULL};
const sluice_plugin_entry sluice_plugin = {SLUICE_ABI_MAJOR,
                                           SLUICE_ABI_MINOR,
                                           sizeof(sluice_plugin_entry),
                                           2,
                                           ZOO_TEXT("zoo"),
                                           ZOO_TEXT("1"),
                                           ZOO_TEXT("MIT"),
                                           holed};
