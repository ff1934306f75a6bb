/* The same role and kind twice. */
#define ZOO_NO_LIST
#define ZOO_NO_ENTRY
#include "zoo.h"
static const sluice_factory* const both[] = {&zoo_factory, &zoo_factory};
const sluice_plugin_entry sluice_plugin = {SLUICE_ABI_MAJOR,
                                           SLUICE_ABI_MINOR,
                                           sizeof(sluice_plugin_entry),
                                           2,
                                           ZOO_TEXT("zoo"),
                                           ZOO_TEXT("1"),
                                           ZOO_TEXT("MIT"),
                                           both};
