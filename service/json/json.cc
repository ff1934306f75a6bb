#include "sluice/service/json/json.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

// Takes what JsonText takes, and makes values of it.
class JsonTree {
 public:
  void BeginObject() { open_.push_back(Add(Json::object())); }
  void EndObject() { open_.pop_back(); }
  void BeginArray() { open_.push_back(Add(Json::array())); }
  void EndArray() { open_.pop_back(); }
  void Name(absl::string_view name) { name_ = std::string(name); }
  void Value(Json value) { Add(std::move(value)); }
  template <typename T>
  void Field(absl::string_view name, const T& value) {
    Name(name);
    Value(value);
  }
  Json Take() { return std::move(root_); }

 private:
  Json* Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    Json& place = (*open_.back())[name_];
    place = std::move(value);
    return &place;
  }

  Json root_;
  // The containers that are open, the innermost last. Each is the last element
  // of the one before it, so that none of them moves.
  std::vector<Json*> open_;
  std::string name_;
};

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
std::map<std::string, uint64_t> SortedCounts(const Model& model) {
  return {model.source_counts().begin(), model.source_counts().end()};
}

template <typename Model>
Json CountsJson(const Model& model) {
  Json object = Json::object();
  for (const auto& [name, value] : SortedCounts(model)) object[name] = value;
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

// The number's last digits, up to and with the place `end`.
void PutDigits(int64_t number, size_t end, size_t digits, std::string& text) {
  for (size_t i = 0; i < digits; ++i, number /= 10) {
    text[end - i] = static_cast<char>('0' + number % 10);
  }
}

// Of a time after 1970 with a year of four digits.
std::string PlainTimeText(int64_t milliseconds) {
  constexpr int64_t kDay = 24 * 60 * 60 * 1000;
  const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + milliseconds / kDay;
  const int64_t of_day = milliseconds % kDay;
  std::string text = "0000-00-00T00:00:00.000Z";
  PutDigits(day.year(), 3, 4, text);
  PutDigits(day.month(), 6, 2, text);
  PutDigits(day.day(), 9, 2, text);
  PutDigits(of_day / 3'600'000, 12, 2, text);
  PutDigits(of_day / 60'000 % 60, 15, 2, text);
  PutDigits(of_day / 1000 % 60, 18, 2, text);
  PutDigits(of_day % 1000, 22, 3, text);
  return text;
}

// The fields of a model have one order, whoever takes them: JsonText or
// JsonTree.
template <typename Out>
void WriteTime(absl::string_view name, int64_t milliseconds, Out& out) {
  if (milliseconds == 0) return out.Field(name, nullptr);
  out.Field(name, TimeText(milliseconds));
}

template <typename Out>
void WriteWarnings(const google::protobuf::RepeatedPtrField<Warning>& warnings,
                   Out& out) {
  out.Name("warnings");
  out.BeginArray();
  for (const Warning& warning : warnings) {
    out.BeginObject();
    out.Field("code", warning.code());
    out.Field("message", warning.message());
    out.EndObject();
  }
  out.EndArray();
}

template <typename Out>
void WriteRecord(const BackupRecord& record, Out& out) {
  out.Field("id", record.id());
  out.Field("repo_id", record.repo_id());
  out.Field("job_id", record.job_id());
  out.Field("store_id", record.store_id());
  out.Field("store_kind", record.store_kind());
  WriteTime("created_at", record.created_at_ms(), out);
  WriteTime("finished_at", record.finished_at_ms(), out);
  out.Field("sha256", record.sha256());
  out.Field("size_bytes", record.size_bytes());
  out.Field("plain_size_bytes", record.plain_size_bytes());
  out.Field("base_backup_id", record.base_backup_id());
  out.Field("pinned", record.pinned());
  out.Field("damaged", record.damaged());
  out.Field("payload_id_count", record.payload_id_count());
  out.Field("plan_id", record.plan_id());
  out.Field("pin_reason", record.pin_reason());
  WriteTime("pin_ends_at", record.pin_ends_at_ms(), out);
  out.Field("verified_depth", DepthName(record.verified_depth()));
  WriteTime("verified_at", record.verified_at_ms(), out);
  WriteTime("restored_at", record.restored_at_ms(), out);
  out.Name("source_counts");
  out.BeginObject();
  for (const auto& [name, value] : SortedCounts(record)) out.Field(name, value);
  out.EndObject();
  WriteWarnings(record.warnings(), out);
}

template <typename Out>
void WriteJob(const BackupJob& job, Out& out) {
  out.Field("id", job.id());
  out.Field("kind", KindName(job.kind()));
  out.Field("status", StatusName(job.status()));
  out.Field("plan_id", job.plan_id());
  out.Field("repo_id", job.repo_id());
  out.Field("store_id", job.store_id());
  out.Field("store_kind", job.store_kind());
  out.Field("backup_id", job.backup_id());
  out.Field("base_backup_id", job.base_backup_id());
  out.Field("record_id", job.record_id());
  out.Field("progress", job.progress());
  out.Field("stage", job.stage());
  out.Field("bytes_done", job.bytes_done());
  out.Field("bytes_estimated", job.bytes_estimated());
  WriteTime("created_at", job.created_at_ms(), out);
  WriteTime("started_at", job.started_at_ms(), out);
  WriteTime("finished_at", job.finished_at_ms(), out);
  out.Field("error", job.error());
  out.Field("error_code", job.error_code());
  WriteWarnings(job.warnings(), out);
  if (job.kind() != BackupJob::PURGE) return;
  out.Name("failed_record_ids");
  out.BeginArray();
  for (const Warning& warning : job.warnings()) {
    if (warning.code() != kArchiveKept) continue;
    out.Value(warning.message().substr(0, warning.message().find(':')));
  }
  out.EndArray();
}

}  // namespace

void WriteFields(const BackupRecord& record, JsonText& text) {
  WriteRecord(record, text);
}

void WriteFields(const BackupJob& job, JsonText& text) { WriteJob(job, text); }

Json ToJson(const BackupRecord& record) {
  JsonTree tree;
  tree.BeginObject();
  WriteRecord(record, tree);
  tree.EndObject();
  return tree.Take();
}

Json ToJson(const BackupJob& job) {
  JsonTree tree;
  tree.BeginObject();
  WriteJob(job, tree);
  tree.EndObject();
  return tree.Take();
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
  // A list has some hundred times, and FormatTime reads its pattern for each.
  constexpr int64_t kYear10000 = 253'402'300'800'000;
  if (milliseconds > 0 && milliseconds < kYear10000) {
    return PlainTimeText(milliseconds);
  }
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
