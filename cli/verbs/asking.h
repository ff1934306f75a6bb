#ifndef SLUICE_CLI_VERBS_ASKING_H_
#define SLUICE_CLI_VERBS_ASKING_H_

// Who asks, whether he is sure, and whether somebody is there to do it.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/cli/session/session.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {

// Nobody is there to do what was asked for.
inline constexpr absl::string_view kServiceNotRunning = "service_not_running";

// "uid 1000": as what is asked for and the audit list have it.
std::string Requester();

// Asks on the terminal where there is somebody to ask, unless --yes was given;
// `question` as "remove plan nightly?". Cancelled where the answer is not yes;
// `otherwise` is what is told then, as "nothing was removed".
absl::Status AskFirst(Session& session, absl::string_view question,
                      absl::string_view otherwise);

// Adds to the audit list what was done to what, and how it ended. Best effort: a
// note says where it cannot be kept.
void NoteAudit(Session& session, absl::string_view action,
               absl::string_view target, const absl::Status& outcome);

// That a `sluice serve` works on the catalog: what is left to it would wait for
// ever else.
absl::Status CheckServiceIsThere(Session& session);

// That another process than this one can resolve the secrets of a store's URI.
// `flag`: what leaves it to that one.
absl::Status CheckOthersCanOpen(absl::string_view uri,
                                absl::string_view flag = "async");

// What this machine is called, as service/settings/machine.h has it.
std::string ThisMachine(Session& session);

// That the catalog is no copy of one that another machine works on
// (catalog_cloned). Asked by what runs a plan or takes archives away.
absl::Status CheckCatalogIsOurs(Session& session);

// A repo that the catalog knows, by name, id, URI or path.
absl::StatusOr<BackupRepo> KnownRepo(Session& session,
                                     absl::string_view name_or_uri);

// A plan, by name, or by id or a unique beginning of it.
absl::StatusOr<Plan> KnownPlan(Session& session, absl::string_view name);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_ASKING_H_
