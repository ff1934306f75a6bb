#ifndef SLUICE_SERVICE_STORE_URI_H_
#define SLUICE_SERVICE_STORE_URI_H_

// What follows from the URI of a store. Any thread.

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/backupable.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice::service {

// "memory-0123456789abcdef": the same for the same UriFacts::identity. The id
// of a store that has none of its own.
std::string StoreIdFromUri(absl::string_view kind, absl::string_view identity);

// The id that an archive of the store bears: its own, else `wanted`, else one
// made from its URI, which is the same for each backup of it. invalid_argument
// where the store's own is another than the wanted one.
absl::StatusOr<std::string> StoreIdOf(const StoreInfo& info,
                                      absl::string_view kind,
                                      const UriFacts& facts,
                                      const std::string& wanted);

// That neither of a store's folder and the repo lies in the other: a backup
// would read itself, a restore write into the repo. `repo` holds the place's
// folders, as OpenedRepo::paths. Follows links where the folders are there.
absl::Status CheckApart(const UriFacts& store,
                        const std::map<std::string, std::string>& repo);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_STORE_URI_H_
