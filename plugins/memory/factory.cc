#include "sluice/plugins/memory/factory.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/folder/folder_source.h"
#include "sluice/plugins/memory/folder/folder_target.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/memory/synthetic_source.h"
#include "sluice/plugins/sdk/options.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/source_options.h"

namespace sluice {
namespace {

using CreatedSource = absl::StatusOr<std::unique_ptr<sdk::Source>>;

absl::Status ConfigInvalid(absl::string_view what) {
  return sdk::ConfigInvalid("memory", what);
}

// One word says which kind of memory store it is: no two of them.
absl::Status CheckModes(const sdk::Options& options) {
  if (const std::string path = options.Get("path"); !path.empty()) {
    return WithHint(ConfigInvalid("it takes no path"),
                    "memory:?load=DIR reads a folder, memory:?save=DIR is "
                    "restored into");
  }
  const int modes = (options.Has("load") ? 1 : 0) +
                    (options.Has("save") ? 1 : 0) +
                    (options.Has("keys") ? 1 : 0);
  if (modes > 1)
    return ConfigInvalid("load=, save= and keys= are mutually exclusive");
  for (const absl::string_view name : {"value_bytes", "seed"}) {
    if (options.Has(name) && !options.Has("keys")) {
      return ConfigInvalid(absl::StrCat(name, "= goes with keys="));
    }
  }
  return sdk::StoreIdOption("memory", options).status();
}

CreatedSource CreateSynthetic(const sdk::Options& options) {
  SyntheticOptions synthetic;
  SLUICE_ASSIGN_OR_RETURN(synthetic.keys, options.GetInteger("keys", 0));
  SLUICE_ASSIGN_OR_RETURN(synthetic.value_bytes,
                          options.GetInteger("value_bytes", 0));
  SLUICE_ASSIGN_OR_RETURN(synthetic.seed, options.GetInteger("seed", 0));
  synthetic.store_id = options.Get("store_id");
  return MakeSyntheticSource(std::move(synthetic));
}

CreatedSource CreateMemory(const sdk::Host& host, const sdk::Options& options) {
  SLUICE_RETURN_IF_ERROR(CheckModes(options));
  const std::string store_id = options.Get("store_id");
  if (options.Has("load")) {
    SLUICE_ASSIGN_OR_RETURN(std::string folder,
                            sdk::FolderOption("memory", options, "load"));
    return MakeFolderSource(FileSystem::Posix(), {std::move(folder), store_id});
  }
  if (options.Has("save")) {
    SLUICE_ASSIGN_OR_RETURN(std::string folder,
                            sdk::FolderOption("memory", options, "save"));
    return MakeFolderTarget(FileSystem::Posix(), {std::move(folder), store_id});
  }
  if (options.Has("keys")) return CreateSynthetic(options);
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<MemoryStore> store,
                          MemoryStore::Create(store_id));
  return MakeMemorySource(std::move(store));
}

constexpr sluice_option_spec kOptions[] = {
    sdk::Option("path", SLUICE_OPTION_STRING, 0, "", "must be empty"),
    sdk::Option("load", SLUICE_OPTION_PATH, 0, "",
                "back up the regular files below this folder: keys are "
                "relative paths; no modes, times, links or empty folders"),
    sdk::Option("save", SLUICE_OPTION_PATH, 0, "",
                "restore into this folder, which is empty or absent"),
    sdk::Option("keys", SLUICE_OPTION_INTEGER, 0, "",
                "make up a store of so many keys"),
    sdk::Option("value_bytes", SLUICE_OPTION_INTEGER, 0, "0",
                "bytes of each value made up"),
    sdk::Option("seed", SLUICE_OPTION_INTEGER, 0, "0",
                "the same seed makes up the same bytes"),
    sdk::Option("store_id", SLUICE_OPTION_STRING, 0, "",
                "the store's identity, 1 to 128 bytes of [A-Za-z0-9._-]; a "
                "folder has one made of this machine's id and its path"),
};

}  // namespace

constinit const sluice_factory kMemorySource =
    sdk::SourceFactory<&CreateMemory>(
        "memory",
        "Keys and values in memory, or a folder's files.\n"
        "memory:?load=/var/lib/orders",
        kOptions);

}  // namespace sluice
