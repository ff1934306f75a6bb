#ifndef SLUICE_CLI_VERBS_FOLLOW_H_
#define SLUICE_CLI_VERBS_FOLLOW_H_

// A job from its row to its end, for a person: run here, or followed while
// another process runs it. Both end as `backup` and `restore` do.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/cli/session/session.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {

// Claims the pending job and runs it in this process; where another one claims
// it first, follows that. Cancels it where it cannot begin before the session's
// context ends.
Outcome RunQueuedHere(Session& session, const QueuedRun& run);

// What is said of a job that succeeded; `repo` as people call it.
Outcome ReportSucceeded(Session& session, const BackupJob& job,
                        const absl::optional<BackupRecord>& record,
                        absl::string_view repo);

// Waits until the job is over. Where the session's context ends first, only the
// waiting does, and the error's hint says how to go on.
Outcome FollowJob(Session& session, const std::string& job_id);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_FOLLOW_H_
