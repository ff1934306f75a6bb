#ifndef SLUICE_PLUGINS_HOST_PLUGIN_HOST_H_
#define SLUICE_PLUGINS_HOST_PLUGIN_HOST_H_

// Finds, checks and loads plugins, or takes tables that are linked in, and
// makes stores and places from URIs.
//
// Example:
//
//   PluginHost host({.plugin_dir = "/usr/lib/sluice/plugins"});
//   SLUICE_RETURN_IF_ERROR(host.RegisterStatic(&kMemoryPlugin));
//   SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<Backupable> source,
//                           host.CreateSource("memory:?load=/usr/include"));
//   // Loads sluice-place-local.so where it is not yet:
//   SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStore> place,
//                           host.OpenPlace("local:/mnt/backups"));
//
// A plugin is loaded when a URI first names its kind, from
// sluice-<role>-<kind>.so in PluginHostOptions::plugin_dir; it is never
// unloaded. Kinds that are registered are not looked for.
//
// Thread-safe. What it makes may outlive it, but for the log. Errors carry the
// words plugin_unusable, source_config_invalid, destination_config_invalid, or
// the plugin's own. Loading a plugin runs its code in this process with all of
// this process's rights.
//
// Cost: loading maps a file, and reads it once more where it is pinned; two
// threads that load wait for each other. A call of what was made costs an
// indirect call more than without a plugin.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/base/mutex.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/host/option_schema.h"
#include "sluice/plugins/host/plugin_state.h"
#include "sluice/plugins/host/uri.h"

namespace sluice {

struct PluginHostOptions {
  // Absolute. Empty: DefaultPluginDir().
  std::string plugin_dir;
  // SHA-256 in hex by file name ("sluice-source-badger.so"). A file that is
  // listed is loaded only if it has that content.
  std::map<std::string, std::string> pins;
  // "sluice 1.2.3", told to plugins.
  std::string program = "sluice";
  // Lines that plugins log, and warnings of a restore. May be called from any
  // thread. Empty: dropped.
  PluginLog log;
};

// $SLUICE_PLUGIN_DIR where it is set, else "plugins" beside the executable.
std::string DefaultPluginDir();

// "sluice-source-badger.so".
std::string PluginFileName(uint32_t role, absl::string_view kind);

// One thing that can be made, for lists and help.
struct FactoryInfo {
  std::string role;  // "source", "place"
  std::string kind;
  std::string help;
  std::vector<OptionSpec> options;
  bool has_command = false;
  std::string plugin_name;
  std::string plugin_version;
  std::string plugin_license;
  std::string abi_version;  // "1.0"
  std::string path;         // empty: linked in
};

// A URI whose plugin was asked what its options mean.
struct UriFacts {
  std::string uri;       // its paths absolute, its secrets references
  std::string identity;  // what a store is known by that has no id of its own
  std::map<std::string, std::string> paths;  // its options of kind path
};

class PluginHost {
 public:
  explicit PluginHost(PluginHostOptions options);
  ~PluginHost();
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  // Takes a table that is linked in. `entry` lives as long as the process. The
  // same table twice is fine.
  absl::Status RegisterStatic(const sluice_plugin_entry* entry);

  // Checks and loads one .so by its absolute path. Its kinds must be new here.
  absl::Status Load(const std::string& path);

  // What is registered or loaded so far, by role and kind.
  std::vector<FactoryInfo> factories() const;
  // Absolute paths of the files in the plugin folder that are named like
  // plugins, sorted. Loads nothing.
  std::vector<std::string> FindPluginFiles() const;

  // What `uri` says, without opening it: loads the plugin. Two URIs of one
  // store or place, typed in different ways, give the same.
  absl::StatusOr<UriFacts> ReadSourceUri(absl::string_view uri);
  absl::StatusOr<UriFacts> ReadPlaceUri(absl::string_view uri);

  // A store, as `uri` names it; no I/O beyond loading its plugin and resolving
  // secrets. Options of kind path become absolute, now, as in UriFacts.
  absl::StatusOr<std::shared_ptr<Backupable>> CreateSource(
      absl::string_view uri);
  // A place for archives.
  absl::StatusOr<std::shared_ptr<ObjectStore>> OpenPlace(absl::string_view uri);

  // The same for an object that the program made itself, without a URI.
  //
  // Example:
  //
  //   const sluice_source* table = sdk::WrapSource(MakeMemorySource(store));
  //   SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<Backupable> source,
  //                           host.AdoptSource("memory", table));
  //
  // The table is destroyed with the result; one that is refused is left alone.
  absl::StatusOr<std::shared_ptr<Backupable>> AdoptSource(
      absl::string_view kind, const sluice_source* source);
  absl::StatusOr<std::shared_ptr<ObjectStore>> AdoptPlace(
      absl::string_view kind, const sluice_place* place);

  // Runs a verb of a plugin's own. `output` gets what it prints, on this
  // thread.
  absl::Status RunCommand(
      const Context& context, absl::string_view kind, absl::string_view name,
      absl::Span<const std::string> arguments,
      const std::function<absl::Status(absl::string_view)>& output);

 private:
  struct Registered {
    const sluice_factory* factory = nullptr;
    const sluice_plugin_entry* entry = nullptr;
    std::string path;
    std::shared_ptr<PluginState> plugin;
  };
  using Key = std::pair<uint32_t, std::string>;  // role and kind

  absl::Status Register(const sluice_plugin_entry* entry,
                        const std::string& path);
  absl::StatusOr<Registered> Find(uint32_t role, const std::string& kind);
  absl::optional<Registered> FindRegistered(uint32_t role,
                                            const std::string& kind) const;
  absl::Status NoSuchKind(uint32_t role, const std::string& kind) const;
  absl::StatusOr<const void*> Create(const Registered& registered,
                                     const Uri& uri);
  absl::StatusOr<UriFacts> ReadUri(uint32_t role, absl::string_view text);
  absl::Status LoadAs(const std::string& path, uint32_t role,
                      const std::string& kind);

  const PluginHostOptions options_;
  HostTable* const host_;
  // Held while a plugin is loaded, so that two threads that need the same one
  // load it once. Taken before mutex_.
  Mutex load_mutex_;
  mutable Mutex mutex_;
  std::map<Key, Registered> registered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_PLUGIN_HOST_H_
