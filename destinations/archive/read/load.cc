#include "sluice/destinations/archive/read/load.h"

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/payload_writer.h"
#include "sluice/executor/limits.h"

namespace sluice {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;

absl::Status NotPublished(absl::string_view backup_id) {
  return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                   absl::StrCat("archive ", backup_id, ": not published"));
}

absl::StatusOr<std::string> ReadManifestBytes(const Context& context,
                                              ObjectStore& store,
                                              absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(CheckBackupId(backup_id));
  absl::StatusOr<std::string> bytes = ReadObject(
      context, store, ObjectName(backup_id, kManifestFile), kMaxManifestBytes);
  if (absl::IsNotFound(bytes.status())) return NotPublished(backup_id);
  return bytes;
}

absl::StatusOr<std::vector<FileSum>> ReadSums(const Context& context,
                                              ObjectStore& store,
                                              absl::string_view backup_id) {
  const absl::StatusOr<std::string> bytes = ReadObject(
      context, store, ObjectName(backup_id, kSumsFile), kMaxSumsBytes);
  if (absl::IsNotFound(bytes.status()))
    return ExplainMissing(context, store, backup_id, kSumsFile);
  if (!bytes.ok()) return bytes.status();
  return ParseSums(*bytes);
}

// The lines that SHA256SUMS must have beside the manifest's own: as many, and
// each with the manifest's digest.
absl::Status CompareSums(const Manifest& manifest,
                         const std::vector<FileSum>& sums) {
  const size_t expected = 1 + static_cast<size_t>(manifest.segments_size()) +
                          (manifest.payload_id_count() > 0 ? 1 : 0) +
                          (manifest.index_size_bytes() > 0 ? 1 : 0);
  if (sums.size() != expected) {
    return ArchiveDamaged(manifest.backup_id(),
                          "SHA256SUMS has too few or many lines");
  }
  absl::flat_hash_map<absl::string_view, absl::string_view> digests;
  for (const FileSum& sum : sums) digests[sum.file] = sum.sha256;
  for (const Segment& segment : manifest.segments()) {
    if (digests[segment.name()] != segment.sha256()) {
      return ArchiveDamaged(
          manifest.backup_id(),
          absl::StrCat("SHA256SUMS and manifest.json disagree on ",
                       segment.name()));
    }
  }
  if (manifest.payload_id_count() > 0 &&
      digests[kPayloadIdsFile] != manifest.payload_ids_sha256()) {
    return ArchiveDamaged(
        manifest.backup_id(),
        "SHA256SUMS and manifest.json disagree on payload_ids");
  }
  if (manifest.index_size_bytes() > 0 &&
      digests[kIndexFile] != manifest.index_sha256()) {
    return ArchiveDamaged(manifest.backup_id(),
                          "SHA256SUMS and manifest.json disagree on index");
  }
  return absl::OkStatus();
}

// Cuts a stream into lines and checks them.
class IdLines {
 public:
  IdLines(const Manifest& manifest,
          const std::function<absl::Status(absl::string_view)>& callback)
      : manifest_(manifest), callback_(callback) {}

  absl::Status Add(absl::string_view bytes) {
    hash_.Update(bytes);
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      absl::StrAppend(&line_, bytes.substr(0, end));
      if (line_.size() > kMaxPayloadIdBytes) return Wrong("an id too long");
      if (end == absl::string_view::npos) break;
      bytes.remove_prefix(end + 1);
      SLUICE_RETURN_IF_ERROR(EndLine());
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    if (!line_.empty()) return Wrong("no line end");
    if (count_ != manifest_.payload_id_count()) return Wrong("count mismatch");
    if (ToHex(hash_.Finish()) != manifest_.payload_ids_sha256())
      return Wrong("SHA-256 mismatch");
    return absl::OkStatus();
  }

 private:
  absl::Status EndLine() {
    if (!IsPayloadId(line_)) return Wrong("not an id");
    if (count_ > 0 && line_ <= last_) return Wrong("not ascending");
    ++count_;
    if (count_ > manifest_.payload_id_count()) return Wrong("too many ids");
    SLUICE_RETURN_IF_ERROR(callback_(line_));
    last_.swap(line_);
    line_.clear();
    return absl::OkStatus();
  }

  absl::Status Wrong(absl::string_view what) const {
    return ArchiveDamaged(manifest_.backup_id(),
                          absl::StrCat("payload_ids: ", what));
  }

  const Manifest& manifest_;
  const std::function<absl::Status(absl::string_view)>& callback_;
  Sha256 hash_;
  std::string line_;
  std::string last_;
  uint64_t count_ = 0;
};

}  // namespace

absl::Status ArchiveDamaged(absl::string_view backup_id,
                            absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("archive ", backup_id, ": ", what));
}

absl::StatusOr<Manifest> LoadManifestUnproven(const Context& context,
                                              ObjectStore& store,
                                              absl::string_view backup_id) {
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadManifestBytes(context, store, backup_id));
  absl::StatusOr<Manifest> manifest = ParseManifest(bytes, backup_id);
  if (!manifest.ok())
    return Annotate(manifest.status(), absl::StrCat("archive ", backup_id));
  if (manifest->has_tombstone()) return NotPublished(backup_id);
  return manifest;
}

absl::StatusOr<Manifest> LoadManifest(const Context& context,
                                      ObjectStore& store,
                                      absl::string_view backup_id) {
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadManifestBytes(context, store, backup_id));
  absl::StatusOr<Manifest> manifest = ParseManifest(bytes, backup_id);
  if (manifest.ok() && manifest->has_tombstone())
    return NotPublished(backup_id);
  // Before the manifest's own story is believed ("a newer version"), its bytes
  // are: SHA256SUMS stays what it is in every version.
  SLUICE_ASSIGN_OR_RETURN(const std::vector<FileSum> sums,
                          ReadSums(context, store, backup_id));
  if (SumOf(sums, kManifestFile) != ToHex(Sha256Of(bytes))) {
    return ArchiveDamaged(backup_id,
                          "manifest.json: SHA-256 mismatch with SHA256SUMS");
  }
  if (!manifest.ok())
    return Annotate(manifest.status(), absl::StrCat("archive ", backup_id));
  SLUICE_RETURN_IF_ERROR(CompareSums(*manifest, sums));
  return manifest;
}

absl::Status ExplainMissing(const Context& context, ObjectStore& store,
                            absl::string_view backup_id,
                            absl::string_view file) {
  const absl::StatusOr<NameState> state =
      ReadNameState(context, store, backup_id);
  if (state.ok() && *state != NameState::kArchive)
    return NotPublished(backup_id);
  return ArchiveDamaged(backup_id, absl::StrCat(file, " is missing"));
}

absl::Status StreamPayloadIds(
    const Context& context, ObjectStore& store, const Manifest& manifest,
    const std::function<absl::Status(absl::string_view)>& callback) {
  if (manifest.payload_id_count() == 0) return absl::OkStatus();
  const std::string name = ObjectName(manifest.backup_id(), kPayloadIdsFile);
  absl::StatusOr<std::unique_ptr<ObjectReader>> reader =
      store.Open(context, name, 0);
  if (absl::IsNotFound(reader.status())) {
    return ExplainMissing(context, store, manifest.backup_id(),
                          kPayloadIdsFile);
  }
  if (!reader.ok()) return reader.status();
  IdLines lines(manifest, callback);
  std::vector<char> buffer(kReadBytes);
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const size_t size,
                            (*reader)->Read(absl::MakeSpan(buffer)));
    if (size == 0) return lines.Finish();
    SLUICE_RETURN_IF_ERROR(lines.Add(absl::string_view(buffer.data(), size)));
  }
}

}  // namespace sluice
