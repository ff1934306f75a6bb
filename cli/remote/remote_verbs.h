#ifndef SLUICE_CLI_REMOTE_REMOTE_VERBS_H_
#define SLUICE_CLI_REMOTE_REMOTE_VERBS_H_

// What each verb does through a server; remote.cc has the table. Private to this
// room.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/cli/remote/remote.h"
#include "sluice/cli/views/job_view.h"
#include "sluice/service/archive_choice.h"

namespace sluice::cli {

// What is said of a job that succeeded.
using ReportJob = std::function<Outcome(const BackupJob&)>;

// Waits until the job is over, however the connection fares, and ends as its
// own command would have. Only a row of that very job that says succeeded is
// reported as such. Where the waiting ends first, the error says that the job
// goes on.
Outcome FollowRemoteJob(Remote& remote, const BackupJob& job,
                        const ReportJob& report);
// As `backup` and `job wait` report it.
Outcome ReportRemoteJob(Remote& remote, const BackupJob& job);
// All that was asked for by one call, one after the other; with --async their
// ids. The first that failed is the outcome, the others are told.
Outcome FollowQueued(Remote& remote, const ApiAnswer& answer,
                     const ReportJob& report);

absl::StatusOr<NamesById> RemoteRepoNames(Remote& remote);
// Of a repo, the oldest first.
absl::StatusOr<std::vector<service::ArchiveRow>> RemoteArchives(
    Remote& remote, const std::string& repo);

Outcome RemoteBackup(Remote& remote);
Outcome RemoteRestore(Remote& remote);
Outcome RemoteVerify(Remote& remote);

Outcome RemoteList(Remote& remote);
Outcome RemoteShow(Remote& remote);
Outcome RemotePrune(Remote& remote);
Outcome RemotePin(Remote& remote);
Outcome RemoteUnpin(Remote& remote);

Outcome RemoteJobList(Remote& remote);
Outcome RemoteJobShow(Remote& remote);
Outcome RemoteJobWait(Remote& remote);
Outcome RemoteJobCancel(Remote& remote);

Outcome RemotePlanAdd(Remote& remote);
Outcome RemotePlanEdit(Remote& remote);
Outcome RemotePlanList(Remote& remote);
Outcome RemotePlanShow(Remote& remote);
Outcome RemotePlanPause(Remote& remote);
Outcome RemotePlanResume(Remote& remote);
Outcome RemotePlanRemove(Remote& remote);
Outcome RemotePlanRun(Remote& remote);
Outcome RemotePlanNext(Remote& remote);

Outcome RemoteRepoAdd(Remote& remote);
Outcome RemoteRepoList(Remote& remote);
Outcome RemoteRepoShow(Remote& remote);
Outcome RemoteRepoRemove(Remote& remote);
Outcome RemoteRepoRename(Remote& remote);

Outcome RemoteTokenCreate(Remote& remote);
Outcome RemoteTokenList(Remote& remote);
Outcome RemoteTokenRevoke(Remote& remote);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_REMOTE_VERBS_H_
