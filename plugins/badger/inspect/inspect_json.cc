#include "sluice/plugins/badger/inspect/inspect_json.h"

#include "absl/strings/escaping.h"
#include "nlohmann/json.hpp"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/format/table.h"

namespace sluice {
namespace badger {
namespace {

using Json = nlohmann::ordered_json;

const char* NameOf(Compression compression) {
  switch (compression) {
    case Compression::kSnappy:
      return "snappy";
    case Compression::kZstd:
      return "zstd";
    case Compression::kNone:
      break;
  }
  return "none";
}

Json OpenedBy(const Inspection& found) {
  if (!found.holder.has_value()) return nullptr;
  return {{"process", found.holder->process}, {"writes", found.holder->writes}};
}

Json TablesOf(const Inspection& found) {
  Json tables = Json::array();
  for (const TableSummary& table : found.summary.tables) {
    InternalKey first;
    ParseInternalKey(table.first_key, first);
    tables.push_back({{"name", TableFileName(table.listed.id)},
                      {"level", table.listed.level},
                      {"bytes", table.file_bytes},
                      {"blocks", table.blocks},
                      {"entries", table.keys},
                      {"max_version", table.max_version},
                      {"compression", NameOf(table.listed.compression)},
                      {"encrypted", table.listed.key_number != 0},
                      {"first_key_hex", absl::BytesToHexString(first.user_key)},
                      {"first_version", first.version}});
  }
  return tables;
}

Json LevelsOf(const Inspection& found) {
  Json levels = Json::array();
  for (const auto& [number, totals] : found.levels) {
    levels.push_back({{"level", number},
                      {"tables", totals.tables},
                      {"bytes", totals.bytes},
                      {"entries", totals.entries}});
  }
  return levels;
}

Json ReplayedOf(const Inspection& found) {
  Json logs = Json::array();
  for (const LogSummary& log : found.summary.replayed) {
    logs.push_back({{"name", log.name},
                    {"bytes", log.file_bytes},
                    {"valid_bytes", log.end.valid_end}});
  }
  return logs;
}

}  // namespace

std::string RenderJson(const Inspection& found) {
  const ImageSummary& summary = found.summary;
  const Json json = {{"folder", found.folder},
                     {"format", summary.manifest_version},
                     {"open", OpenedBy(found)},
                     {"encrypted", summary.is_encrypted},
                     {"external_magic", summary.external_magic},
                     {"max_version", summary.max_version},
                     {"levels", LevelsOf(found)},
                     {"tables", TablesOf(found)},
                     {"value_logs", summary.value_logs},
                     {"value_log_bytes", summary.value_log_bytes},
                     {"live_log_bytes", found.live_log_bytes},
                     {"banned", found.banned},
                     {"missing", found.missing},
                     {"extra", found.extra},
                     {"replayed", ReplayedOf(found)},
                     {"live_keys", found.live_keys},
                     {"deleted_keys", found.deleted_keys},
                     {"expired_keys", found.expired_keys},
                     {"versions", found.versions},
                     {"key_bytes", found.key_bytes},
                     {"value_bytes", found.value_bytes},
                     {"collected_values", found.collected_values},
                     {"damaged_values", found.damaged_values},
                     {"damage", found.damage},
                     {"warnings", summary.warnings}};
  // A name may be any bytes.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace badger
}  // namespace sluice
