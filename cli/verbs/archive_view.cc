#include "sluice/cli/verbs/archive_view.h"

#include <utility>
#include <vector>

#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/end_attempt.h"
#include "sluice/destinations/archive/protocol/fence.h"

namespace sluice::cli {

absl::StatusOr<std::vector<ArchiveView::Entry>> RepoView::List(
    const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(auto found, destination_->ListAll(context));
  std::vector<Entry> entries;
  entries.reserve(found.size());
  for (auto& entry : found) {
    entries.push_back({entry.backup_id, std::move(entry.manifest)});
  }
  return entries;
}

absl::StatusOr<Manifest> RepoView::Verify(const Context& context,
                                          absl::string_view backup_id) {
  return destination_->Verify(context, backup_id, nullptr);
}

absl::StatusOr<bool> RepoView::WriterAlive(const Context& context,
                                           absl::string_view backup_id) {
  return HasLiveWriter(context, *store_, backup_id,
                       ArchiveOptions().grace_window);
}

absl::StatusOr<ArchiveView::Fenced> RepoView::Fence(const Context& context,
                                                    absl::string_view backup_id,
                                                    absl::string_view reason) {
  SLUICE_ASSIGN_OR_RETURN(
      const EndedAttempt ended,
      EndAttempt(context, *store_, backup_id, reason, "reconcile"));
  // What could not be taken away belongs to a tombstone: the next sweep's.
  return ended.published ? Fenced::kPublished : Fenced::kFenced;
}

absl::StatusOr<bool> RepoView::IsPublished(const Context& context,
                                           absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_ASSIGN_OR_RETURN(const NameState state,
                          ReadNameState(context, *store_, backup_id));
  return state == NameState::kArchive;
}

}  // namespace sluice::cli
