#include "sluice/service/work/open_repo.h"

#include <utility>

#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {

absl::StatusOr<OpenedRepo> OpenKnownRepo(const Context& context,
                                         PluginHost& host,
                                         const BackupRepo& row, RepoUse use,
                                         const std::string& owner) {
  OpenedRepo repo;
  repo.row = row;
  SLUICE_ASSIGN_OR_RETURN(UriFacts facts, host.ReadPlaceUri(row.config()));
  repo.paths = std::move(facts.paths);
  SLUICE_ASSIGN_OR_RETURN(repo.store, host.OpenPlace(facts.uri));
  const absl::StatusOr<RepoInfo> info =
      OpenRepo(context, *repo.store, row.id(), use);
  if (ErrorCodeOf(info.status()) == kDestinationNotFound &&
      HintOf(info.status()).empty()) {
    return WithHint(info.status(),
                    "is the disk mounted? `sluice repo move` says where a repo "
                    "has gone");
  }
  SLUICE_RETURN_IF_ERROR(info.status());
  ArchiveOptions options;
  options.repo_id = row.id();
  options.owner = owner;
  repo.destination =
      ArchiveDestination::Create(repo.store, Clock::Real(), options);
  return repo;
}

}  // namespace sluice::service
