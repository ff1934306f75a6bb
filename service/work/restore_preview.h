#ifndef SLUICE_SERVICE_WORK_RESTORE_PREVIEW_H_
#define SLUICE_SERVICE_WORK_RESTORE_PREVIEW_H_

// What a restore would meet, found without one: the manifests of the archive
// and of all that it builds on are read, and what the target says of itself. No
// payload is read, nothing is written, no job is made.
//
// Example:
//
//   RestoreProbe probe;
//   probe.target = host.CreateSource(facts.uri);
//   probe.facts = facts;
//   probe.backup_id = record.id();
//   const RestorePreview preview = PreviewRestore(context, repo, probe);
//   if (!preview.possible()) return preview.in_the_way.front();
//
// Blocks for repo and target; any thread.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/json/json.h"
#include "sluice/service/opened_repo.h"

namespace sluice::service {

struct RestoreProbe {
  absl::StatusOr<std::shared_ptr<Backupable>> target;
  UriFacts facts;  // of the target's URI
  std::string backup_id;
  std::string from_store;  // the other store whose archive it may be
  // Archives that the catalog knows to be damaged.
  std::set<std::string> damaged;
};

struct RestorePreview {
  std::string target;  // its URI
  // Full first; empty where one cannot be read, or says what cannot be.
  std::vector<Manifest> chain;
  // Bytes of the stores that the chain was made from, all of which the target
  // is given.
  uint64_t needed_bytes = 0;
  // Free where the target is a path; a guess at whether it is enough is all
  // that can be made of it.
  absl::optional<uint64_t> free_bytes;
  // In the order in which a restore would meet them: the first is what it would
  // end with. Empty: it would pass all of its guards.
  std::vector<absl::Status> in_the_way;

  bool possible() const { return in_the_way.empty(); }
};

// Of a repo that cannot be opened `repo` is that error.
RestorePreview PreviewRestore(const Context& context,
                              const absl::StatusOr<OpenedRepo>& repo,
                              const RestoreProbe& probe);

// {"target","manifest_valid","archives","store_id","store_kind","created_at",
// "size_bytes","needed_bytes","free_bytes","in_the_way","possible"}.
Json PreviewJson(const RestorePreview& preview);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_WORK_RESTORE_PREVIEW_H_
