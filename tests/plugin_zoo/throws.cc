// Lets exceptions out of its C tables, which the ABI forbids.

#include <new>
#include <stdexcept>
#include <string>

#include "sluice/plugins/abi/sluice_plugin.h"

namespace {

void Destroy(void*) {}
sluice_code Describe(void*, const sluice_run*, sluice_source_info*,
                     sluice_error*) {
  throw 42;
}
sluice_code Backup(void*, const sluice_run*, const sluice_backup_request*,
                   const sluice_sink*, sluice_error*) {
  throw std::runtime_error("escaped");
}
sluice_code Restore(void*, const sluice_run*, const sluice_restore_request*,
                    sluice_error*) {
  throw std::bad_alloc();
}

const sluice_source kSource = {
    sizeof(sluice_source), nullptr, Destroy, Describe, Backup, Restore};

sluice_code Create(const sluice_host*, const sluice_option*, uint64_t count,
                   const void** object, sluice_error*) {
  if (count > 0) throw std::runtime_error("escaped from create");
  *object = &kSource;
  return SLUICE_OK;
}

constexpr sluice_option_spec kOptions[] = {{sizeof(sluice_option_spec),
                                            SLUICE_OPTION_STRING,
                                            0,
                                            {"path", 4},
                                            {nullptr, 0},
                                            {nullptr, 0}}};
const sluice_factory kFactory = {sizeof(sluice_factory),
                                 SLUICE_ROLE_SOURCE,
                                 {"zoo", 3},
                                 {"", 0},
                                 kOptions,
                                 1,
                                 sizeof(sluice_option_spec),
                                 0,
                                 Create,
                                 nullptr};
const sluice_factory* const kFactories[] = {&kFactory};

}  // namespace

const sluice_plugin_entry sluice_plugin = {SLUICE_ABI_MAJOR,
                                           SLUICE_ABI_MINOR,
                                           sizeof(sluice_plugin_entry),
                                           1,
                                           {"throws", 6},
                                           {"1", 1},
                                           {"MIT", 3},
                                           kFactories};
