#ifndef SLUICE_PLUGINS_HOST_PLACE_ADAPTOR_H_
#define SLUICE_PLUGINS_HOST_PLACE_ADAPTOR_H_

#include <memory>

#include "absl/status/status.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/host/plugin_state.h"

namespace sluice {

// `status` of a place with the word that its code stands for where the plugin
// gave none, as sluice_plugin.h lists them.
absl::Status WithPlaceWord(const absl::Status& status);

// A plugin's place as the archive knows it. `table` has passed CheckPlace and
// is destroyed with the adaptor, after the last writer and reader.
//
// Errors get the plugin's words, else one that follows from the code
// (destination_permission_denied, ..., destination_io_error).
std::shared_ptr<ObjectStore> AdaptPlace(std::shared_ptr<PluginState> plugin,
                                        const sluice_place* table);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_PLACE_ADAPTOR_H_
