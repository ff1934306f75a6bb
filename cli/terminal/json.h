#ifndef SLUICE_CLI_TERMINAL_JSON_H_
#define SLUICE_CLI_TERMINAL_JSON_H_

// What --json prints. Our own encoder, not protobuf's: sizes are numbers,
// states lower case, times RFC 3339 in UTC (null where there is none), all
// fields present, in a fixed order. Fields are only ever added; golden files
// hold it. Bytes that are not UTF-8 become U+FFFD.
//
// Pure; any thread.

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {

using Json = nlohmann::ordered_json;

Json ToJson(const BackupRecord& record);
Json ToJson(const BackupJob& job);
Json ToJson(const BackupRepo& repo);
Json ToJson(const Manifest& manifest);
Json ToJson(const absl::optional<BackupRecord>& record);  // null
Json ToJson(const absl::optional<BackupJob>& job);

// {"error":{"code","message","hint"},"job":{...}}, the job null where there is
// none.
Json ErrorJson(const absl::Status& status,
               const absl::optional<BackupJob>& job);

// One line, without its end.
std::string Encode(const Json& json);

// "succeeded", "backup": as in --json.
std::string StatusName(BackupJob::Status status);
std::string KindName(BackupJob::Kind kind);
// "2026-11-22T10:42:33.125Z"; empty for 0.
std::string TimeText(int64_t milliseconds);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_JSON_H_
