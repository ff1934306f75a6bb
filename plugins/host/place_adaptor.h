#ifndef SLUICE_PLUGINS_HOST_PLACE_ADAPTOR_H_
#define SLUICE_PLUGINS_HOST_PLACE_ADAPTOR_H_

#include <memory>

#include "sluice/destinations/archive/object_store.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/host/plugin_state.h"

namespace sluice {

// A plugin's place as the archive knows it. `table` has passed CheckPlace and
// is destroyed with the adaptor, after the last writer and reader.
//
// Errors get the plugin's words, else one that follows from the code
// (destination_permission_denied, ..., destination_io_error).
std::shared_ptr<ObjectStore> AdaptPlace(std::shared_ptr<PluginState> plugin,
                                        const sluice_place* table);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_PLACE_ADAPTOR_H_
