#ifndef SLUICE_PLUGINS_POSTGRES_FACTORY_H_
#define SLUICE_PLUGINS_POSTGRES_FACTORY_H_

// A PostgreSQL database as a plugin: the C table over PostgresSource.
//
//   postgresql://USER@HOST:PORT/DATABASE?jobs=4     backed up, or restored into
//   postgresql:?service=NAME
//
// The kind is "postgresql", as in the URIs that PostgreSQL's own programs take.
// A program that links it instead of loading the .so must not link BoringSSL as
// well: libpq brings OpenSSL, and the two share names.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(host.RegisterStatic(&kPostgresPlugin));
//
// Constants, which live as long as the process and cost nothing at start; any
// thread. Threads, errors and costs of what they make: postgres_source.h.

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/factory.h"

namespace sluice {

extern const sluice_factory kPostgresSource;
inline constexpr const sluice_factory* kPostgresFactories[] = {
    &kPostgresSource};
inline constexpr sluice_plugin_entry kPostgresPlugin =
    sdk::PluginEntry("postgres", "1.0.0", "Apache-2.0", kPostgresFactories);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_POSTGRES_FACTORY_H_
