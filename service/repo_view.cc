#include "sluice/service/repo_view.h"

#include <utility>
#include <vector>

#include "sluice/base/status_macros.h"

namespace sluice::service {

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
  return destination_->IsBeingWritten(context, backup_id);
}

absl::StatusOr<ArchiveView::Fenced> RepoView::Fence(const Context& context,
                                                    absl::string_view backup_id,
                                                    absl::string_view reason) {
  SLUICE_ASSIGN_OR_RETURN(
      const EndedAttempt ended,
      destination_->End(context, backup_id, reason, "reconcile"));
  // What could not be taken away belongs to a tombstone: the next sweep's.
  return ended.published ? Fenced::kPublished : Fenced::kFenced;
}

absl::StatusOr<bool> RepoView::IsPublished(const Context& context,
                                           absl::string_view backup_id) {
  SLUICE_ASSIGN_OR_RETURN(const NameState state,
                          destination_->StateOf(context, backup_id));
  return state == NameState::kArchive;
}

}  // namespace sluice::service
