#ifndef SLUICE_DESTINATIONS_LOCAL_FACTORY_H_
#define SLUICE_DESTINATIONS_LOCAL_FACTORY_H_

// The `local` destination as a plugin: the C tables over LocalObjectStore.
//
//   local:/mnt/backups
//   local:backups?allow_unsynced=true     (relative to the process's folder)
//
// A program that wants no .so registers the same entry.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(host.RegisterStatic(&kLocalPlugin));
//
// Constants, which live as long as the process and cost nothing at start; any
// thread. Threads, errors and costs of what they make: local_object_store.h.

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/factory.h"

namespace sluice {

extern const sluice_factory kLocalPlace;
inline constexpr const sluice_factory* kLocalFactories[] = {&kLocalPlace};
inline constexpr sluice_plugin_entry kLocalPlugin =
    sdk::PluginEntry("local", "1.0.0", "Apache-2.0", kLocalFactories);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_FACTORY_H_
