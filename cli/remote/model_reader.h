#ifndef SLUICE_CLI_REMOTE_MODEL_READER_H_
#define SLUICE_CLI_REMOTE_MODEL_READER_H_

// The models of what a server answers: the way back of service/json/json.h.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, ReadJob(json));
//   ToJson(job.job) == what the server printed
//
// A field of the wrong type is server_answer_invalid, which names it. One that
// is missing, or null, is as it is in an empty model; one that is not known is
// passed over; a word that is not known is none: an older or a newer server
// answers all the same. Pure; any thread. The bytes are bounded by who read
// them.

#include "absl/status/statusor.h"
#include "sluice/catalog/access_store.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/cli/remote/answer_reader.h"
#include "sluice/cli/views/plan_view.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/archive_choice.h"
#include "sluice/service/schedule/preview.h"
#include "sluice/service/work/prune.h"

namespace sluice::cli {

absl::StatusOr<CatalogJob> ReadJob(const AnswerJson& json);
absl::StatusOr<QueuedRun> ReadQueued(const AnswerJson& json);
absl::StatusOr<BackupRecord> ReadRecord(const AnswerJson& json);
absl::StatusOr<BackupRepo> ReadRepo(const AnswerJson& json);
absl::StatusOr<service::ArchiveRow> ReadArchive(const AnswerJson& json);
absl::StatusOr<PlanView> ReadPlan(const AnswerJson& json);
absl::StatusOr<Firing> ReadFiring(const AnswerJson& json);
absl::StatusOr<service::PlannedTime> ReadPlannedTime(const AnswerJson& json);
// Of one store's archives in a retention preview.
absl::StatusOr<service::PrunedGroup> ReadPruned(const AnswerJson& json);
absl::StatusOr<AccessToken> ReadToken(const AnswerJson& json);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_MODEL_READER_H_
