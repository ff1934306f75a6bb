/* Fails with a code that does not exist, and text without an end. */
#include <string.h>

#include "sluice/plugins/abi/sluice_plugin.h"
static sluice_code fail_oddly(void* self, const sluice_run* run,
                              sluice_source_info* info, sluice_error* error) {
  (void)self, (void)run, (void)info;
  memset(error->word, 'w', sizeof(error->word));
  memset(error->message, 'm', sizeof(error->message));
  memset(error->hint, 'h', sizeof(error->hint));
  error->code = 1234;
  return 1234;
}
#define ZOO_DESCRIBE fail_oddly
#include "zoo.h"
