#include "sluice/cli/archive_view.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/fence.h"
#include "sluice/destinations/archive/lease.h"
#include "sluice/destinations/archive/names.h"
#include "sluice/destinations/archive/object_io.h"

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

// As the sweep has it: by the place's own clock; a writer.json that cannot be
// read counts from the time it was written.
absl::StatusOr<bool> RepoView::WriterAlive(const Context& context,
                                           absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  const std::string name = ObjectName(backup_id, kWriterFile);
  const absl::StatusOr<ObjectInfo> info = store_->Stat(context, name);
  if (info.status().code() == absl::StatusCode::kNotFound) return false;
  SLUICE_RETURN_IF_ERROR(info.status());
  const absl::StatusOr<std::string> bytes =
      ReadObject(context, *store_, name, kMaxWriterBytes);
  if (bytes.status().code() == absl::StatusCode::kNotFound) return false;
  if (!bytes.ok() && ErrorCodeOf(bytes.status()) != kArchiveDamaged) {
    return bytes.status();
  }
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store_->Describe(context, /*probe=*/false));
  absl::Time expires = info->modified + ArchiveOptions().grace_window;
  if (bytes.ok()) {
    const absl::StatusOr<WriterRecord> writer = ParseWriter(*bytes);
    if (writer.ok()) {
      expires = std::min(writer->expires_at, info->modified + kMaxLease);
    }
  }
  return place.now < expires;
}

absl::StatusOr<ArchiveView::Fenced> RepoView::Fence(const Context& context,
                                                    absl::string_view backup_id,
                                                    absl::string_view reason) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store_->Describe(context, /*probe=*/false));
  const CommitOutcome outcome =
      CommitTombstone(context, *store_, backup_id, reason, "reconcile",
                      place.now, ObjectWriter::Mode::kIfAbsent);
  switch (outcome.kind) {
    case CommitOutcome::kStored:
      return Fenced::kFenced;
    case CommitOutcome::kTaken: {
      SLUICE_ASSIGN_OR_RETURN(const bool published,
                              IsPublished(context, backup_id));
      return published ? Fenced::kPublished : Fenced::kFenced;
    }
    case CommitOutcome::kAbsent:
    case CommitOutcome::kUnknown:
      break;
  }
  return Annotate(outcome.status, absl::StrCat("fence ", backup_id));
}

absl::StatusOr<bool> RepoView::IsPublished(const Context& context,
                                           absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  SLUICE_ASSIGN_OR_RETURN(const NameState state,
                          ReadNameState(context, *store_, backup_id));
  return state == NameState::kArchive;
}

}  // namespace sluice::cli
