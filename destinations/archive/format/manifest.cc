#include "sluice/destinations/archive/format/manifest.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/text/utf8.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/format/times.h"
#include "sluice/destinations/archive/format/utf8.h"
#include "sluice/executor/limits.h"

namespace sluice {
namespace {

// Rules are told as "what is wrong"; the caller decides whether that is damage
// (reading) or an argument (writing).
using Fault = std::string;
const char* const kNone = "";

Fault TextFault(absl::string_view field, absl::string_view text, size_t most) {
  if (text.size() > most) return absl::StrCat(field, " is too long");
  if (!IsUtf8(text)) return absl::StrCat(field, " is not UTF-8");
  return kNone;
}

Fault IdFault(absl::string_view field, absl::string_view text) {
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return absl::ascii_iscntrl(c); })) {
    return absl::StrCat(field, " holds a control character");
  }
  return TextFault(field, text, kMaxTextBytes);
}

Fault TimeFault(absl::string_view field, absl::string_view text) {
  absl::Time time;
  if (!ReadTime(text, time))
    return absl::StrCat(field, " is not an RFC 3339 time");
  return kNone;
}

Fault SegmentFault(const Manifest& manifest, int i) {
  const Segment& segment = manifest.segments(i);
  if (segment.name() != SegmentFile(i))
    return absl::StrCat("segment ", i, " is not named ", SegmentFile(i));
  if (!IsSha256Hex(segment.sha256()))
    return absl::StrCat("segment ", i, " has no digest");
  const bool last = i + 1 == manifest.segments_size();
  const bool whole = segment.size_bytes() == manifest.segment_bytes();
  const bool partial = segment.size_bytes() < manifest.segment_bytes() &&
                       (segment.size_bytes() > 0 || i == 0);
  if (!whole && !(last && partial)) {
    return absl::StrCat("segment ", i, " has size ", segment.size_bytes(),
                        ", expected ", last ? "at most " : "",
                        manifest.segment_bytes());
  }
  return kNone;
}

Fault SegmentsFault(const Manifest& manifest) {
  if (manifest.segments_size() == 0) return "no segments";
  if (manifest.segments_size() > kMaxSegments) return "too many segments";
  if (manifest.segment_bytes() == 0 ||
      manifest.segment_bytes() > kMaxSegmentBytes) {
    return "segment_bytes is out of range";
  }
  uint64_t total = 0;  // cannot overflow: 100,000 times 2^46
  for (int i = 0; i < manifest.segments_size(); ++i) {
    if (Fault fault = SegmentFault(manifest, i); !fault.empty()) return fault;
    total += manifest.segments(i).size_bytes();
  }
  if (total != manifest.size_bytes())
    return "size_bytes is not the segments' sum";
  if (manifest.sha256() != PayloadSha256(manifest))
    return "sha256 is not that of the segments";
  return kNone;
}

Fault CollectionsFault(const Manifest& manifest) {
  if (manifest.warnings_size() > kMaxWarnings) return "too many warnings";
  for (const Warning& warning : manifest.warnings()) {
    Fault fault = IdFault("warnings.code", warning.code());
    if (fault.empty()) {
      fault =
          TextFault("warnings.message", warning.message(), kMaxWarningBytes);
    }
    if (!fault.empty()) return fault;
  }
  if (manifest.source_counts().size() > kMaxManifestCounts)
    return "too many counts";
  for (const auto& [key, count] : manifest.source_counts()) {
    if (Fault fault = IdFault("source_counts", key); !fault.empty())
      return fault;
  }
  if (manifest.engine_metadata().size() > kMaxMetadataEntries)
    return "too much metadata";
  size_t bytes = 0;
  for (const auto& [key, value] : manifest.engine_metadata()) {
    if (Fault fault = IdFault("engine_metadata", key); !fault.empty())
      return fault;
    bytes += value.size();
  }
  if (bytes > kMaxManifestMetadataBytes) return "too much metadata";
  return kNone;
}

bool IsXxh3Hex(absl::string_view text) {
  return text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Fault PayloadIdsFault(const Manifest& manifest) {
  const bool none = manifest.payload_id_count() == 0;
  if (none != manifest.payload_ids_sha256().empty() ||
      (!none && !IsSha256Hex(manifest.payload_ids_sha256()))) {
    return "payload_id_count and payload_ids_sha256 contradict each other";
  }
  return kNone;
}

Fault IndexFault(const Manifest& manifest) {
  const bool none = manifest.index_size_bytes() == 0;
  if (none != manifest.index_sha256().empty() ||
      (!none && !IsSha256Hex(manifest.index_sha256()))) {
    return "index_size_bytes and index_sha256 contradict each other";
  }
  if (!none && manifest.version() == kFirstManifestVersion)
    return "an index in a manifest of version 1";
  return kNone;
}

Fault IdsFault(const Manifest& manifest) {
  const std::pair<absl::string_view, absl::string_view> ids[] = {
      {"store_id", manifest.store_id()},
      {"store_kind", manifest.store_kind()},
      {"catalog_id", manifest.catalog_id()},
      {"job_id", manifest.job_id()},
      {"repo_id", manifest.repo_id()},
      {"writer", manifest.writer()},
      {"host", manifest.host()},
      {"source", manifest.source()},
      {"label", manifest.label()},
      {"plan_id", manifest.plan_id()}};
  for (const auto& [field, text] : ids) {
    if (Fault fault = IdFault(field, text); !fault.empty()) return fault;
  }
  if (!manifest.base_backup_id().empty() &&
      !IsBackupId(manifest.base_backup_id())) {
    return "base_backup_id is not a backup id";
  }
  return kNone;
}

// What begins a value in JSON; of text that is no JSON any number.
uint64_t CountValues(absl::string_view json) {
  uint64_t values = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      if (c == '\\') ++i;
    } else if (c == '{' || c == '[' || c == ',') {
      ++values;
    }
  }
  return values;
}

Fault TombstoneFault(const Manifest& manifest) {
  Fault fault = TextFault("tombstone.reason", manifest.tombstone().reason(),
                          kMaxTextBytes);
  if (fault.empty()) {
    fault = TextFault("tombstone.owner", manifest.tombstone().owner(),
                      kMaxTextBytes);
  }
  if (fault.empty()) {
    fault =
        TimeFault("tombstone.created_at", manifest.tombstone().created_at());
  }
  return fault;
}

Fault FaultOf(const Manifest& manifest) {
  if (manifest.version() == 0) return "no version";
  if (!IsBackupId(manifest.backup_id())) return "backup_id is not a backup id";
  if (manifest.has_tombstone()) return TombstoneFault(manifest);
  Fault fault = TimeFault("created_at", manifest.created_at());
  if (fault.empty()) fault = IdsFault(manifest);
  if (fault.empty()) fault = SegmentsFault(manifest);
  if (fault.empty() && !IsXxh3Hex(manifest.plain_xxh3()))
    fault = "plain_xxh3 is not an XXH3-64";
  if (fault.empty()) fault = PayloadIdsFault(manifest);
  if (fault.empty()) fault = IndexFault(manifest);
  if (fault.empty()) fault = CollectionsFault(manifest);
  return fault;
}

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("manifest.json: ", what));
}

absl::Status Unsupported(absl::string_view what) {
  return WithHint(
      MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported,
                absl::StrCat("manifest.json: ", what)),
      "use the version of sluice that wrote it, or a newer one");
}

bool StoredPlain(const Manifest& manifest) {
  return (manifest.compression().empty() || manifest.compression() == "none") &&
         manifest.encryption().algorithm().empty();
}

}  // namespace

absl::StatusOr<std::string> EncodeManifest(const Manifest& manifest) {
  if (const Fault fault = FaultOf(manifest); !fault.empty()) {
    return InvalidArgument(absl::StrCat("manifest: ", fault));
  }
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string bytes;
  const auto status =
      google::protobuf::util::MessageToJsonString(manifest, &bytes, options);
  if (!status.ok()) {
    return MakeError(absl::StatusCode::kInternal, kInternal,
                     absl::StrCat("encode manifest: ", status.ToString()));
  }
  if (bytes.size() > kMaxManifestBytes) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     "manifest would be larger than a reader accepts");
  }
  return bytes;
}

absl::StatusOr<Manifest> ParseManifest(absl::string_view bytes,
                                       absl::string_view backup_id) {
  if (bytes.size() > kMaxManifestBytes) return Damaged("too large");
  if (CountValues(bytes) > kMaxManifestValues)
    return Damaged(absl::StrCat("more than ", kMaxManifestValues, " values"));
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  Manifest manifest;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(bytes.data(), bytes.size()), &manifest,
      options);
  if (!status.ok()) return Damaged("not a JSON manifest");
  if (manifest.version() > kManifestVersion) {
    return Unsupported(absl::StrCat("format version ", manifest.version(),
                                    ", this program knows ", kManifestVersion));
  }
  if (const Fault fault = FaultOf(manifest); !fault.empty())
    return Damaged(fault);
  if (manifest.backup_id() != backup_id) return Damaged("of another archive");
  if (!manifest.has_tombstone() && !StoredPlain(manifest))
    return Unsupported("unknown compression or encryption");
  return manifest;
}

void BoundWarnings(Manifest& manifest) {
  const int count = manifest.warnings_size();
  if (count > kMaxWarnings) {
    auto* warnings = manifest.mutable_warnings();
    warnings->DeleteSubrange(kMaxWarnings - 1, count - (kMaxWarnings - 1));
    Warning* rest = manifest.add_warnings();
    rest->set_code("warnings_truncated");
    rest->set_message(
        absl::StrCat(count - (kMaxWarnings - 1), " more warnings"));
  }
  for (Warning& warning : *manifest.mutable_warnings()) {
    warning.set_code(ToBoundedUtf8(warning.code(), kMaxTextBytes));
    warning.set_message(ToBoundedUtf8(warning.message(), kMaxWarningBytes));
  }
}

std::string PayloadSha256(const Manifest& manifest) {
  if (manifest.segments_size() == 1) return manifest.segments(0).sha256();
  Sha256 hash;
  for (const Segment& segment : manifest.segments()) {
    hash.Update(Sha256FromHex(segment.sha256()));
  }
  return ToHex(hash.Finish());
}

Manifest MakeTombstone(absl::string_view backup_id, absl::string_view reason,
                       absl::string_view owner, absl::string_view created_at) {
  Manifest manifest;
  manifest.set_version(kFirstManifestVersion);
  manifest.set_backup_id(std::string(backup_id));
  Tombstone* tombstone = manifest.mutable_tombstone();
  tombstone->set_reason(std::string(reason));
  tombstone->set_owner(std::string(owner));
  tombstone->set_created_at(std::string(created_at));
  return manifest;
}

}  // namespace sluice
