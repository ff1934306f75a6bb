#ifndef SLUICE_PLUGINS_BADGER_FACTORY_H_
#define SLUICE_PLUGINS_BADGER_FACTORY_H_

// BadgerDB directories as a plugin: the C table over source.h.
//
//   badger:/srv/app/db[?value_dir=DIR][&key=file:F][&scratch=DIR]
//                     [&mode=offline][&store_id=ID][&format=7]
//                     [&payload_ids=PREFIX&payload_id_json=FIELD]
//
// A program that wants no .so registers the same entry.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(host.RegisterStatic(&kBadgerPlugin));
//
// Constants, which live as long as the process and cost nothing at start; any
// thread. Threads, errors and costs of what they make: source.h.

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/factory.h"

namespace sluice {

extern const sluice_factory kBadgerSource;
inline constexpr const sluice_factory* kBadgerFactories[] = {&kBadgerSource};
inline constexpr sluice_plugin_entry kBadgerPlugin =
    sdk::PluginEntry("badger", "1.0.0", "Apache-2.0", kBadgerFactories);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FACTORY_H_
