#include "sluice/destinations/archive/protocol/end_attempt.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/protocol/lease.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/repo_listing.h"

namespace sluice {
namespace {

absl::Status AbortUploads(const Context& context, ObjectStore& store,
                          absl::string_view backup_id,
                          RemovedRemains& removed) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> uploads,
                          FindUploads(context, store, backup_id));
  for (const ObjectInfo& upload : uploads) {
    const absl::Status status = store.AbortUncommitted(context, upload.upload);
    if (absl::IsNotFound(status)) continue;
    SLUICE_RETURN_IF_ERROR(status);
    ++removed.uploads;
  }
  return absl::OkStatus();
}

CommitOutcome TakeName(const Context& context, ObjectStore& store,
                       absl::string_view backup_id, absl::string_view reason,
                       absl::string_view owner) {
  const absl::StatusOr<PlaceInfo> place =
      store.Describe(context, /*probe=*/false);
  if (!place.ok()) return {CommitOutcome::kAbsent, place.status()};
  if (!place->conditional_commit) {
    // Without a conditional commit the name is looked at as late as can be.
    const absl::StatusOr<NameState> state =
        ReadNameState(context, store, backup_id);
    if (!state.ok()) return {CommitOutcome::kUnknown, state.status()};
    if (*state != NameState::kFree)
      return {CommitOutcome::kTaken, absl::OkStatus()};
  }
  return CommitTombstone(context, store, backup_id, reason, owner, place->now,
                         CommitMode::kIfAbsent);
}

}  // namespace

absl::Status DeleteObject(const Context& context, ObjectStore& store,
                          const ObjectInfo& object, RemovedRemains& removed) {
  SLUICE_RETURN_IF_ERROR(context.status());
  const absl::Status status = store.Delete(context, object.name);
  if (absl::IsNotFound(status)) return absl::OkStatus();  // another's
  SLUICE_RETURN_IF_ERROR(status);
  ++removed.objects;
  removed.bytes += object.size;
  return absl::OkStatus();
}

absl::StatusOr<bool> HasLiveWriter(const Context& context, ObjectStore& store,
                                   absl::string_view backup_id,
                                   absl::Duration grace_window) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  const std::string name = ObjectName(backup_id, kWriterFile);
  const absl::StatusOr<std::string> bytes =
      ReadObject(context, store, name, kMaxWriterBytes);
  if (absl::IsNotFound(bytes.status())) return false;
  if (!bytes.ok() && ErrorCodeOf(bytes.status()) != kArchiveDamaged)
    return bytes.status();
  // After the bytes: the lease may have been renewed meanwhile.
  const absl::StatusOr<ObjectInfo> info = store.Stat(context, name);
  if (absl::IsNotFound(info.status())) return false;
  SLUICE_RETURN_IF_ERROR(info.status());
  SLUICE_ASSIGN_OR_RETURN(const absl::Time now, PlaceNow(context, store));
  absl::Time expires = info->modified + grace_window;
  const absl::StatusOr<WriterRecord> writer =
      bytes.ok() ? ParseWriter(*bytes) : bytes.status();
  if (writer.ok()) expires = std::max(expires, writer->expires_at);
  return now < std::min(expires, info->modified + kMaxLease);
}

absl::StatusOr<bool> LostItsManifest(const Context& context, ObjectStore& store,
                                     absl::string_view backup_id) {
  // In this order: a publish commits the manifest before writer.json goes, and
  // a failed one takes its objects away before.
  const absl::Status writer =
      store.Stat(context, ObjectName(backup_id, kWriterFile)).status();
  if (!absl::IsNotFound(writer)) {
    SLUICE_RETURN_IF_ERROR(writer);
    return false;
  }
  SLUICE_ASSIGN_OR_RETURN(const NameState state,
                          ReadNameState(context, store, backup_id));
  if (state != NameState::kFree) return false;
  SLUICE_ASSIGN_OR_RETURN(const FoundArchive found,
                          FindArchive(context, store, backup_id));
  return !found.objects.empty();
}

absl::Status RemoveRemains(const Context& context, ObjectStore& store,
                           absl::string_view backup_id, bool keep_writer,
                           RemovedRemains& removed) {
  SLUICE_RETURN_IF_ERROR(AbortUploads(context, store, backup_id, removed));
  SLUICE_ASSIGN_OR_RETURN(const FoundArchive found,
                          FindArchive(context, store, backup_id));
  for (const ObjectInfo& object : found.objects) {
    SLUICE_RETURN_IF_ERROR(DeleteObject(context, store, object, removed));
  }
  if (!found.writer.has_value() || keep_writer) return absl::OkStatus();
  return DeleteObject(context, store, *found.writer, removed);
}

absl::StatusOr<EndedAttempt> EndAttempt(const Context& context,
                                        ObjectStore& store,
                                        absl::string_view backup_id,
                                        absl::string_view reason,
                                        absl::string_view owner) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  EndedAttempt ended;
  CommitOutcome outcome = TakeName(context, store, backup_id, reason, owner);
  if (outcome.kind == CommitOutcome::kAbsent &&
      ErrorCodeOf(outcome.status) == kDestinationNoSpace) {
    SLUICE_RETURN_IF_ERROR(
        AbortUploads(context, store, backup_id, ended.removed));
    outcome = TakeName(context, store, backup_id, reason, owner);
  }
  if (outcome.kind == CommitOutcome::kTaken) {
    SLUICE_ASSIGN_OR_RETURN(const NameState state,
                            ReadNameState(context, store, backup_id));
    ended.published = state == NameState::kArchive;
    if (ended.published) return ended;
  } else if (outcome.kind != CommitOutcome::kStored) {
    return Annotate(outcome.status, absl::StrCat("fence ", backup_id));
  } else {
    ended.fence_taken = true;
  }
  ended.problem = RemoveRemains(context, store, backup_id,
                                /*keep_writer=*/false, ended.removed);
  return ended;
}

}  // namespace sluice
