#ifndef SLUICE_CLI_VERBS_VERBS_H_
#define SLUICE_CLI_VERBS_VERBS_H_

// What each verb does. A verb reads its words from the session, leaves its
// result in the console, and says how it ended; errors are reported by the
// caller. One table in app.cc maps the words to these.

#include "sluice/cli/session/session.h"

namespace sluice::cli {

Outcome RunBackupVerb(Session& session);
Outcome RunRestoreVerb(Session& session);
Outcome RunVerifyVerb(Session& session);

Outcome RunListVerb(Session& session);
Outcome RunShowVerb(Session& session);
Outcome RunDeleteVerb(Session& session);

Outcome RunReconcileVerb(Session& session);
Outcome RunSweepVerb(Session& session);
Outcome RunRepoAddVerb(Session& session);
Outcome RunRepoListVerb(Session& session);
Outcome RunRepoShowVerb(Session& session);
Outcome RunRepoEditVerb(Session& session);
Outcome RunRepoRemoveVerb(Session& session);
Outcome RunRepoRenameVerb(Session& session);
Outcome RunRepoMoveVerb(Session& session);
Outcome RunRepoRepairVerb(Session& session);

Outcome RunJobListVerb(Session& session);
Outcome RunJobShowVerb(Session& session);
Outcome RunJobWaitVerb(Session& session);
Outcome RunJobCancelVerb(Session& session);

Outcome RunPluginListVerb(Session& session);
Outcome RunPluginInfoVerb(Session& session);
// `restore` of a file that no repo holds.
Outcome RestoreFromFile(Session& session);
// `restore` that is only tried: what it would meet.
Outcome TryRestore(Session& session);
Outcome RunPluginRunVerb(Session& session);
Outcome RunPluginCheckVerb(Session& session);

Outcome RunPlanAddVerb(Session& session);
Outcome RunPlanEditVerb(Session& session);
Outcome RunPlanApplyVerb(Session& session);
Outcome RunPlanListVerb(Session& session);
Outcome RunPlanShowVerb(Session& session);
Outcome RunPlanPauseVerb(Session& session);
Outcome RunPlanResumeVerb(Session& session);
Outcome RunPlanRemoveVerb(Session& session);
Outcome RunPlanRunVerb(Session& session);
Outcome RunPlanNextVerb(Session& session);

Outcome RunPruneVerb(Session& session);
Outcome RunPinVerb(Session& session);
Outcome RunUnpinVerb(Session& session);

Outcome RunServeVerb(Session& session);
Outcome RunTokenCreateVerb(Session& session);
Outcome RunTokenListVerb(Session& session);
Outcome RunNotifyListVerb(Session& session);
Outcome RunNotifyRetryVerb(Session& session);
Outcome RunNotifyTestVerb(Session& session);
Outcome RunTokenRevokeVerb(Session& session);
Outcome RunExportVerb(Session& session);
Outcome RunImportVerb(Session& session);

Outcome RunDemoVerb(Session& session);
Outcome RunCompletionVerb(Session& session);
Outcome RunManVerb(Session& session);
Outcome RunVersionVerb(Session& session);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_VERBS_H_
