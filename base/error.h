#ifndef SLUICE_BASE_ERROR_H_
#define SLUICE_BASE_ERROR_H_

// Errors that machines and people can both read.
//
// Sluice reports errors as absl::Status. Beside the canonical code and the
// message for people ("write object a/payload.bin: no space left"), a status
// carries a stable word for machines (destination_no_space), and optionally a
// hint: what the reader can do about it. Both travel as payloads of the status,
// so they survive every layer that passes the status on. Words are never
// renamed and never reused.
//
// Example:
//
//   absl::Status status =
//       MakeError(absl::StatusCode::kNotFound, kDestinationNotFound,
//                 "open /mnt/backups: no such directory");
//   status = WithHint(std::move(status), "is the disk mounted?");
//   ErrorCodeOf(status);  // "destination_not_found"
//   HintOf(status);       // "is the disk mounted?"
//
// Functions here are pure and may be called from any thread; what they take and
// give are values. To make an error, or to add to one, allocates; to look at an
// OK status does not. No message may hold a secret.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice {

// The place where archives are kept.
inline constexpr absl::string_view kDestinationPermissionDenied =
    "destination_permission_denied";
inline constexpr absl::string_view kDestinationNotFound =
    "destination_not_found";
inline constexpr absl::string_view kDestinationNoSpace = "destination_no_space";
inline constexpr absl::string_view kDestinationUnreachable =
    "destination_unreachable";
inline constexpr absl::string_view kDestinationCredentialsInvalid =
    "destination_credentials_invalid";
inline constexpr absl::string_view kDestinationPathConflict =
    "destination_path_conflict";  // the name exists, or is of the wrong type
inline constexpr absl::string_view kDestinationConfigInvalid =
    "destination_config_invalid";
inline constexpr absl::string_view kDestinationIoError =
    "destination_io_error";  // EIO, ESTALE, a failed sync
inline constexpr absl::string_view kDestinationReadOnly =
    "destination_read_only";  // EROFS
inline constexpr absl::string_view kDestinationTooLarge =
    "destination_too_large";  // EFBIG, a part limit
inline constexpr absl::string_view kDestinationUnsupported =
    "destination_unsupported";  // the place lacks what publishing needs
// The store that is backed up, or restored into.
inline constexpr absl::string_view kSourceUnavailable =
    "source_unavailable";  // missing, unreadable, cannot be opened
inline constexpr absl::string_view kSourceFailed =
    "source_failed";  // failed after it had begun
inline constexpr absl::string_view kSourceUnresponsive =
    "source_unresponsive";  // did not return after a cancel; abandoned
inline constexpr absl::string_view kSourceIncomplete =
    "source_incomplete";  // returned without the explicit end
inline constexpr absl::string_view kSourceEmpty =
    "source_empty";  // no bytes and no counts, and that was not allowed
inline constexpr absl::string_view kSourceAborted =
    "source_aborted";  // the store itself broke the backup off
inline constexpr absl::string_view kSourceConfigInvalid =
    "source_config_invalid";
inline constexpr absl::string_view kSourceNoSpace =
    "source_no_space";  // ENOSPC, EDQUOT where a store is restored into
inline constexpr absl::string_view kSourcePermissionDenied =
    "source_permission_denied";  // EACCES, EPERM, a role that may not
inline constexpr absl::string_view kSourceReadOnly =
    "source_read_only";  // EROFS where a store is restored into
inline constexpr absl::string_view kSourceWrongKey =
    "source_wrong_key";  // the store is encrypted, and not with that key
inline constexpr absl::string_view kSourceUnsupported =
    "source_unsupported";  // a version or format that we do not read
inline constexpr absl::string_view kRestorePreconditionFailed =
    "restore_precondition_failed";  // not empty, other kind, other store
// Archives and their publishing.
inline constexpr absl::string_view kArchiveNotFound = "archive_not_found";
inline constexpr absl::string_view kArchiveDamaged = "archive_damaged";
inline constexpr absl::string_view kArchiveUnsupported =
    "archive_unsupported";  // a newer format version
inline constexpr absl::string_view kPublishOutcomeUnknown =
    "publish_outcome_unknown";
inline constexpr absl::string_view kPublishFenced =
    "publish_fenced";  // another took the archive's name, or the lease was lost
// Jobs, the catalog, plugins.
inline constexpr absl::string_view kBackupAlreadyRunning =
    "backup_already_running";
inline constexpr absl::string_view kCatalogUnavailable = "catalog_unavailable";
inline constexpr absl::string_view kCatalogNoSpace =
    "catalog_no_space";  // the disk that the catalog is on is full
inline constexpr absl::string_view kCatalogNewer =
    "catalog_newer";  // written by a newer Sluice
inline constexpr absl::string_view kRecordNotFound = "record_not_found";
inline constexpr absl::string_view kJobNotFound = "job_not_found";
inline constexpr absl::string_view kJobFinished =
    "job_finished";  // a terminal job stays as it is
inline constexpr absl::string_view kProcessDied =
    "process_died";  // of a job: nobody was left to say how it ended
inline constexpr absl::string_view kRepoNotFound = "repo_not_found";
inline constexpr absl::string_view kNameTaken =
    "name_taken";  // the catalog holds another one under that name or id
inline constexpr absl::string_view kAmbiguousId =
    "ambiguous_id";  // a prefix of more than one id
inline constexpr absl::string_view kRecordPersistFailed =
    "record_persist_failed";  // the archive is published, its row is not
inline constexpr absl::string_view kPluginUnusable = "plugin_unusable";
inline constexpr absl::string_view kInvalidArgument = "invalid_argument";
inline constexpr absl::string_view kResourceExhausted = "resource_exhausted";
inline constexpr absl::string_view kCancelled = "cancelled";
inline constexpr absl::string_view kDeadlineExceeded = "deadline_exceeded";
inline constexpr absl::string_view kScratchUnavailable =
    "scratch_unavailable";  // the folder for temporary files cannot be used
inline constexpr absl::string_view kScratchNoSpace =
    "scratch_no_space";  // ENOSPC, EDQUOT there, or too little room for a copy
inline constexpr absl::string_view kScratchPermissionDenied =
    "scratch_permission_denied";
inline constexpr absl::string_view kOutputFailed =
    "output_failed";  // the result could not be written to stdout
inline constexpr absl::string_view kInternal = "internal";

// A status with `code` for machines. `canonical` must not be kOk.
absl::Status MakeError(absl::StatusCode canonical, absl::string_view code,
                       absl::string_view message);

// invalid_argument: what was asked for cannot be meant. An empty hint is none.
absl::Status InvalidArgument(absl::string_view message,
                             absl::string_view hint = "");

// The machine word of `status`: the one it was made with; else one that follows
// from its canonical code ("cancelled", "deadline_exceeded",
// "invalid_argument", "resource_exhausted", else "internal"). Empty for OK.
std::string ErrorCodeOf(const absl::Status& status);

// `status` with `code` as its word, unless it was made with one already. OK
// stays OK.
absl::Status WithDefaultErrorCode(absl::Status status, absl::string_view code);

// `status` with `prefix: ` before its message; code, word and hint are kept. OK
// stays OK.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

// `status` in memory of its own. For one that crosses to a thread which may
// outlive the run: copies of a status share a count that is kept inside Abseil,
// where ThreadSanitizer does not see it.
absl::Status DeepCopy(const absl::Status& status);

// `status` with a hint, in place of an earlier one. OK stays OK.
absl::Status WithHint(absl::Status status, absl::string_view hint);
// The hint of `status`, or an empty string.
std::string HintOf(const absl::Status& status);

// Whether the same call may succeed later, unchanged. What follows from the
// code (only UNAVAILABLE) unless it was said.
absl::Status WithRetryable(absl::Status status, bool retryable);
bool IsRetryable(const absl::Status& status);

// Whether `status` was made with a word, or only has the one that follows from
// its canonical code. A layer that knows better gives it one with WithCode.
bool HasErrorCode(const absl::Status& status);
// `status` with `code` as its word, in place of an earlier one. OK stays OK.
absl::Status WithCode(absl::Status status, absl::string_view code);

}  // namespace sluice

#endif  // SLUICE_BASE_ERROR_H_
