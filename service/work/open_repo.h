#ifndef SLUICE_SERVICE_WORK_OPEN_REPO_H_
#define SLUICE_SERVICE_WORK_OPEN_REPO_H_

// A repo that the catalog knows, opened and proven: its place is there, and is
// that repo.

#include <string>

#include "absl/status/statusor.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/opened_repo.h"

namespace sluice::service {

// `owner` is for people who look at what writes: "host/pid". Blocks for the
// place; any thread. Errors are the plugin's, and destination_not_found where
// there is no repo or another one.
absl::StatusOr<OpenedRepo> OpenKnownRepo(const Context& context,
                                         PluginHost& host,
                                         const BackupRepo& row, RepoUse use,
                                         const std::string& owner);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_WORK_OPEN_REPO_H_
