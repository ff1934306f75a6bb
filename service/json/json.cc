#include "sluice/service/json/json.h"

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

Json TimeJson(int64_t milliseconds) {
  if (milliseconds == 0) return nullptr;
  return TimeText(milliseconds);
}

Json WarningsJson(const google::protobuf::RepeatedPtrField<Warning>& warnings) {
  Json list = Json::array();
  for (const Warning& warning : warnings) {
    list.push_back({{"code", warning.code()}, {"message", warning.message()}});
  }
  return list;
}

Json StringsJson(
    const google::protobuf::RepeatedPtrField<std::string>& strings) {
  Json list = Json::array();
  for (const std::string& text : strings) list.push_back(text);
  return list;
}

Json EncryptionJson(const Encryption& encryption) {
  return {{"required", encryption.required()},
          {"algorithm", encryption.algorithm()},
          {"key_ids", StringsJson(encryption.key_ids())}};
}

Json SegmentsJson(const Manifest& manifest) {
  Json list = Json::array();
  for (const Segment& segment : manifest.segments()) {
    list.push_back({{"name", segment.name()},
                    {"size_bytes", segment.size_bytes()},
                    {"sha256", segment.sha256()}});
  }
  return list;
}

// Protobuf's maps have no order; ours goes by key.
template <typename Model>
Json CountsJson(const Model& model) {
  const std::map<std::string, uint64_t> sorted(model.source_counts().begin(),
                                               model.source_counts().end());
  Json object = Json::object();
  for (const auto& [name, value] : sorted) object[name] = value;
  return object;
}

Json MetadataJson(const Manifest& manifest) {
  const std::map<std::string, std::string> sorted(
      manifest.engine_metadata().begin(), manifest.engine_metadata().end());
  Json object = Json::object();
  for (const auto& [name, value] : sorted) {
    object[name] = absl::Base64Escape(value);
  }
  return object;
}

// "stored", …; empty where it was not verified.
std::string DepthName(BackupRecord::Depth depth) {
  if (depth == BackupRecord::NOT_VERIFIED) return "";
  return absl::AsciiStrToLower(BackupRecord::Depth_Name(depth));
}

}  // namespace

Json ToJson(const BackupRecord& record) {
  return {{"id", record.id()},
          {"repo_id", record.repo_id()},
          {"job_id", record.job_id()},
          {"store_id", record.store_id()},
          {"store_kind", record.store_kind()},
          {"created_at", TimeJson(record.created_at_ms())},
          {"finished_at", TimeJson(record.finished_at_ms())},
          {"sha256", record.sha256()},
          {"size_bytes", record.size_bytes()},
          {"plain_size_bytes", record.plain_size_bytes()},
          {"base_backup_id", record.base_backup_id()},
          {"pinned", record.pinned()},
          {"damaged", record.damaged()},
          {"payload_id_count", record.payload_id_count()},
          {"plan_id", record.plan_id()},
          {"pin_reason", record.pin_reason()},
          {"pin_ends_at", TimeJson(record.pin_ends_at_ms())},
          {"verified_depth", DepthName(record.verified_depth())},
          {"verified_at", TimeJson(record.verified_at_ms())},
          {"restored_at", TimeJson(record.restored_at_ms())},
          {"source_counts", CountsJson(record)},
          {"warnings", WarningsJson(record.warnings())}};
}

Json ToJson(const BackupJob& job) {
  Json json = {{"id", job.id()},
               {"kind", KindName(job.kind())},
               {"status", StatusName(job.status())},
               {"plan_id", job.plan_id()},
               {"repo_id", job.repo_id()},
               {"store_id", job.store_id()},
               {"store_kind", job.store_kind()},
               {"backup_id", job.backup_id()},
               {"base_backup_id", job.base_backup_id()},
               {"record_id", job.record_id()},
               {"progress", job.progress()},
               {"stage", job.stage()},
               {"bytes_done", job.bytes_done()},
               {"bytes_estimated", job.bytes_estimated()},
               {"created_at", TimeJson(job.created_at_ms())},
               {"started_at", TimeJson(job.started_at_ms())},
               {"finished_at", TimeJson(job.finished_at_ms())},
               {"error", job.error()},
               {"error_code", job.error_code()},
               {"warnings", WarningsJson(job.warnings())}};
  if (job.kind() != BackupJob::PURGE) return json;
  json["failed_record_ids"] = Json::array();
  for (const Warning& warning : job.warnings()) {
    if (warning.code() != kArchiveKept) continue;
    json["failed_record_ids"].push_back(
        warning.message().substr(0, warning.message().find(':')));
  }
  return json;
}

Json ToJson(const BackupRepo& repo) {
  return {{"id", repo.id()},
          {"name", repo.name()},
          {"kind", repo.kind()},
          {"config", repo.config()},
          {"encryption", EncryptionJson(repo.encryption())},
          {"key_refs", StringsJson(repo.key_refs())},
          {"created_at", TimeJson(repo.created_at_ms())},
          {"updated_at", TimeJson(repo.updated_at_ms())}};
}

Json ToJson(const Manifest& manifest) {
  return {{"version", manifest.version()},
          {"backup_id", manifest.backup_id()},
          {"created_at", manifest.created_at()},
          {"store_id", manifest.store_id()},
          {"store_kind", manifest.store_kind()},
          {"catalog_id", manifest.catalog_id()},
          {"job_id", manifest.job_id()},
          {"repo_id", manifest.repo_id()},
          {"sha256", manifest.sha256()},
          {"size_bytes", manifest.size_bytes()},
          {"plain_size_bytes", manifest.plain_size_bytes()},
          {"plain_xxh3", manifest.plain_xxh3()},
          {"encryption", EncryptionJson(manifest.encryption())},
          {"compression", manifest.compression()},
          {"base_backup_id", manifest.base_backup_id()},
          {"payload_id_count", manifest.payload_id_count()},
          {"payload_ids_sha256", manifest.payload_ids_sha256()},
          {"index_size_bytes", manifest.index_size_bytes()},
          {"index_sha256", manifest.index_sha256()},
          {"source_counts", CountsJson(manifest)},
          {"engine_metadata", MetadataJson(manifest)},
          {"warnings", WarningsJson(manifest.warnings())},
          {"segment_bytes", manifest.segment_bytes()},
          {"segments", SegmentsJson(manifest)},
          {"writer", manifest.writer()},
          {"host", manifest.host()},
          {"source", manifest.source()},
          {"label", manifest.label()},
          {"plan_id", manifest.plan_id()}};
}

Json ToJson(const absl::optional<BackupRecord>& record) {
  return record.has_value() ? ToJson(*record) : Json(nullptr);
}

Json ToJson(const absl::optional<BackupJob>& job) {
  return job.has_value() ? ToJson(*job) : Json(nullptr);
}

Json ErrorJson(const absl::Status& status,
               const absl::optional<BackupJob>& job) {
  return {{"error",
           {{"code", ErrorCodeOf(status)},
            {"message", std::string(status.message())},
            {"hint", HintOf(status)}}},
          {"job", ToJson(job)}};
}

std::string StatusName(BackupJob::Status status) {
  if (status == BackupJob::STATUS_UNSPECIFIED) return "";
  return absl::AsciiStrToLower(BackupJob::Status_Name(status));
}

std::string KindName(BackupJob::Kind kind) {
  if (kind == BackupJob::KIND_UNSPECIFIED) return "";
  return absl::AsciiStrToLower(BackupJob::Kind_Name(kind));
}

std::string TimeText(int64_t milliseconds) {
  if (milliseconds == 0) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                          absl::FromUnixMillis(milliseconds),
                          absl::UTCTimeZone());
}

std::string TimeText(absl::Time time) {
  const bool said = time != absl::UnixEpoch() &&
                    time != absl::InfiniteFuture() &&
                    time != absl::InfinitePast();
  return said ? TimeText(absl::ToUnixMillis(time)) : "";
}

}  // namespace sluice::service
