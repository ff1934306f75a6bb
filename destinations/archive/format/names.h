#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_NAMES_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_NAMES_H_

// What the objects of a repo are called, and which names are ours at all.
//
// Every id and every name that comes from outside (a user, a listing, a
// manifest) passes through here before it becomes part of an object's name, so
// none ever leads outside of its archive. Pure functions, any thread.
// docs/format/archive.md is the same in words.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice {

inline constexpr absl::string_view kManifestFile = "manifest.json";
inline constexpr absl::string_view kSumsFile = "SHA256SUMS";
inline constexpr absl::string_view kWriterFile = "writer.json";
inline constexpr absl::string_view kPayloadIdsFile = "payload_ids";
inline constexpr absl::string_view kIndexFile = "index";
inline constexpr absl::string_view kPayloadFile = "payload.bin";
// Not a file: what a place that cannot read an archive's folder lists for it,
// and the upload that stands for an empty folder.
inline constexpr absl::string_view kUnreadableFile = "-";
inline constexpr absl::string_view kRepoFile = "sluice-repo.json";
// What Validate writes and deletes; followed by 32 hex digits.
inline constexpr absl::string_view kProbePrefix = "sluice-probe-";

// 26 characters of Crockford's base32, upper case, the first at most '7'.
bool IsBackupId(absl::string_view id);
// INVALID_ARGUMENT unless IsBackupId.
absl::Status CheckBackupId(absl::string_view id);

// The rules of object_store.h.
bool IsObjectName(absl::string_view name);

// "payload.bin", "payload.bin.0001", ..., "payload.bin.10000", ...
std::string SegmentFile(uint64_t index);
// "<id>/<file>".
std::string ObjectName(absl::string_view backup_id, absl::string_view file);

struct SplitName {
  absl::string_view backup_id;  // empty: not below an archive's folder
  absl::string_view file;
};
// Takes "<id>/<file>" apart; both empty where it is not that.
SplitName SplitObjectName(absl::string_view name);

// A file that some version of Sluice puts into an archive: only these are ever
// deleted.
bool IsArchiveFile(absl::string_view file);
bool IsProbeName(absl::string_view name);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_NAMES_H_
