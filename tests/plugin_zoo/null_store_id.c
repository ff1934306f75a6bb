/* A store id of 5 bytes at no address. */
#include "sluice/plugins/abi/sluice_plugin.h"
static sluice_code describe_badly(void* self, const sluice_run* run,
                                  sluice_source_info* info,
                                  sluice_error* error) {
  (void)self, (void)run, (void)error;
  info->store_id.data = 0;
  info->store_id.size = 5;
  return SLUICE_OK;
}
#define ZOO_DESCRIBE describe_badly
#include "zoo.h"
