/* A newer entry with more members: what is known of it is used. */
#define ZOO_NO_ENTRY
#define sluice_plugin declared_by_the_header
#include "zoo.h"
#undef sluice_plugin

struct newer_entry {
  sluice_plugin_entry entry;
  uint64_t added[4];
};
extern const struct newer_entry sluice_plugin;
const struct newer_entry sluice_plugin = {
    {SLUICE_ABI_MAJOR, 1, (uint32_t)sizeof(struct newer_entry), 1,
     ZOO_TEXT("zoo"), ZOO_TEXT("1"), ZOO_TEXT("MIT"), zoo_factories},
    {~0ull, ~0ull, ~0ull, ~0ull}};
