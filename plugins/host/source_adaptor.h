#ifndef SLUICE_PLUGINS_HOST_SOURCE_ADAPTOR_H_
#define SLUICE_PLUGINS_HOST_SOURCE_ADAPTOR_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/executor/backupable.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/host/plugin_state.h"

namespace sluice {

// `status` of a source with the word that its code stands for where the plugin
// gave none, as sluice_plugin.h lists them; `fallback` for all other codes.
absl::Status WithSourceWord(absl::Status status, absl::string_view fallback);

// A plugin's source as the executor knows it. `table` has passed CheckSource
// and is destroyed with the adaptor.
//
// Errors get the plugin's words, else source_unavailable from Describe and
// source_failed from Backup and Restore; an error of the sink or of a payload
// that the plugin passes on comes out as it went in. A restore's warnings go to
// the log.
std::shared_ptr<Backupable> AdaptSource(std::shared_ptr<PluginState> plugin,
                                        std::string kind,
                                        const sluice_source* table);

// `status` with `word`, unless it has one of its own or is a cancel or a
// deadline, which speak for themselves.
absl::Status WithDefaultWord(absl::Status status, absl::string_view word);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_SOURCE_ADAPTOR_H_
