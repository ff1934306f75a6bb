#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_H_

// sluice-repo.json: a repo knows itself.
//
// Without that object a place is no repo: a disk that is not mounted looks like
// an empty folder, and a backup into it would look like a success. Written
// once, never replaced while it is whole (repair.h). docs/format/repo.md.
//
// Example:
//
//   RepoInfo wanted;
//   wanted.id = NewUlid(*clock);
//   SLUICE_ASSIGN_OR_RETURN(RepoInfo repo, InitRepo(context, place, wanted));
//   SLUICE_ASSIGN_OR_RETURN(
//       repo, OpenRepo(context, place, repo.id, RepoUse::kWrite));
//
// Any thread. The place is borrowed for the call. Errors: each function's, and
// the place's own. Blocks for the place: one object is read; InitRepo also
// writes one, and lists the place where it is no repo yet.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

inline constexpr uint32_t kRepoFormatVersion = 1;
inline constexpr uint64_t kMaxRepoBytes = uint64_t{64} << 10;

// The hint of what is wrong with a place that has lost the object, or holds it
// damaged.
inline constexpr absl::string_view kRepairHint =
    "`sluice repo repair` rebuilds it from the archives";

struct RepoInfo {
  uint32_t version = kRepoFormatVersion;
  std::string id;          // ULID
  std::string created_at;  // RFC 3339
  bool encryption_required = false;
  bool allow_unsynced = false;  // the place may lose what was committed
};

std::string EncodeRepo(const RepoInfo& repo);
// destination_config_invalid where `bytes` is no sluice-repo.json. A newer
// version is no error here.
absl::StatusOr<RepoInfo> ParseRepo(absl::string_view bytes);

// Makes the place a repo, creating the place where it is missing. One that is
// a repo already is left as it is and returned. INVALID_ARGUMENT where
// `wanted.id` is not a ULID; destination_not_found with kRepairHint where it
// holds archives: they are another repo's, which lost its sluice-repo.json.
absl::StatusOr<RepoInfo> InitRepo(const Context& context, ObjectStore& store,
                                  const RepoInfo& wanted);

enum class RepoUse { kRead, kWrite };

// destination_not_found where the place is no repo, or another than
// `expected_id` (empty: any); with kRepairHint where it holds archives. For
// kWrite also archive_unsupported where a newer Sluice made it.
absl::StatusOr<RepoInfo> OpenRepo(const Context& context, ObjectStore& store,
                                  absl::string_view expected_id, RepoUse use);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_H_
