// planted_host BUG [PLUGIN.so]: runs a planted bug, here or inside the plugin.
// Exits 0 where nothing stopped it.

#include <dlfcn.h>

#include <cstdio>
#include <string>

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/tests/sanitizers/planted.h"

int main(int argc, char** argv) {
  if (argc == 2) return sluice::RunPlantedBug(argv[1]) ? 0 : 2;
  if (argc != 3) return 2;
  void* plugin = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  const auto* entry = static_cast<const sluice_plugin_entry*>(
      dlsym(plugin, SLUICE_PLUGIN_SYMBOL));
  if (entry == nullptr) return 2;
  const std::string bug = argv[1];
  const sluice_option option = {{"path", 4}, {bug.data(), bug.size()}, 0, 0};
  const void* object = nullptr;
  return entry->factories[0]->create(nullptr, &option, 1, &object, nullptr) ==
                 SLUICE_OK
             ? 0
             : 2;
}
