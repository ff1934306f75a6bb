#ifndef SLUICE_PLUGINS_MEMORY_FACTORY_H_
#define SLUICE_PLUGINS_MEMORY_FACTORY_H_

// The memory store as a plugin: the C table over its sources.
//
//   memory:?load=DIR[&store_id=ID]             a folder's files (FolderSource)
//   memory:?keys=N&value_bytes=M[&seed=S]      made up (SyntheticSource)
//   memory:?save=DIR                           restored into (FolderTarget)
//   memory:                                    empty, gone with the process
//
// A program that wants no .so registers the same entry.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(host.RegisterStatic(&kMemoryPlugin));
//
// A service that has a MemoryStore of its own needs no factory: see
// memory_source.h.
//
// Constants, which live as long as the process and cost nothing at start; any
// thread. Threads, errors and costs of what they make: plugins/sdk/source.h.

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/factory.h"

namespace sluice {

extern const sluice_factory kMemorySource;
inline constexpr const sluice_factory* kMemoryFactories[] = {&kMemorySource};
inline constexpr sluice_plugin_entry kMemoryPlugin =
    sdk::PluginEntry("memory", "1.0.0", "Apache-2.0", kMemoryFactories);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_FACTORY_H_
