/* Writes bytes from no address, and takes no notice of the answer. */
#include "sluice/plugins/abi/sluice_plugin.h"
static sluice_code write_null(void* self, const sluice_run* run,
                              const sluice_backup_request* request,
                              const sluice_sink* sink, sluice_error* error) {
  const sluice_bytes nothing = {0, 100};
  const sluice_count count = {{"bytes", 5}, 100};
  (void)self, (void)run, (void)request, (void)error;
  sink->write(sink->self, nothing, 0);
  sink->add_payload_ids(sink->self, 0, 3, 0);
  sink->add_warning(sink->self, nothing, nothing);
  return sink->end(sink->self, &count, 1, 0);
}
#define ZOO_BACKUP write_null
#include "zoo.h"
