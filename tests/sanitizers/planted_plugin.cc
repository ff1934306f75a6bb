// A plugin whose factory runs a planted bug: the kind is the path option's
// value.

#include <string>

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/tests/sanitizers/planted.h"

namespace {

sluice_code Create(const sluice_host*, const sluice_option* options,
                   uint64_t count, const void** object, sluice_error*) {
  *object = nullptr;
  if (count != 1) return SLUICE_INVALID_ARGUMENT;
  const std::string name(static_cast<const char*>(options[0].value.data),
                         options[0].value.size);
  return sluice::RunPlantedBug(name) ? SLUICE_OK : SLUICE_INVALID_ARGUMENT;
}

const sluice_factory kFactory = {
    .struct_size = sizeof(sluice_factory),
    .role = SLUICE_ROLE_SOURCE,
    .kind = {"planted", 7},
    .help = {"a bug on purpose", 16},
    .options = nullptr,
    .option_count = 0,
    .option_stride = sizeof(sluice_option_spec),
    .reserved = 0,
    .create = Create,
    .command = nullptr,
};
const sluice_factory* const kFactories[] = {&kFactory};

}  // namespace

const sluice_plugin_entry sluice_plugin = {
    .abi_major = SLUICE_ABI_MAJOR,
    .abi_minor = SLUICE_ABI_MINOR,
    .struct_size = sizeof(sluice_plugin_entry),
    .factory_count = 1,
    .name = {"planted", 7},
    .version = {"1", 1},
    .license = {"", 0},
    .factories = kFactories,
};
