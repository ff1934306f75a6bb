#ifndef SLUICE_PLUGINS_POSTGRES_CLIENT_SQL_ERROR_H_
#define SLUICE_PLUGINS_POSTGRES_CLIENT_SQL_ERROR_H_

// PostgreSQL's errors in Sluice's words. Pure functions, any thread.
//
//   SQLSTATE  code                word
//   28...     PERMISSION_DENIED   source_permission_denied
//   42501     PERMISSION_DENIED   source_permission_denied
//   3D000     NOT_FOUND           source_unavailable
//   08...     UNAVAILABLE         source_unavailable
//   57P03     UNAVAILABLE         source_unavailable
//   53300     UNAVAILABLE         source_unavailable
//   57P01     UNAVAILABLE         source_aborted: killed
//   57P02     UNAVAILABLE         source_aborted: shut down
//   57014     ABORTED             source_aborted: a cancel not ours
//   53100     RESOURCE_EXHAUSTED  source_no_space: the server's disk
//   53...     RESOURCE_EXHAUSTED  source_failed
//   40...     ABORTED             source_failed: a retry can help
//   55P03     ABORTED             source_failed: a retry can help
//   XX001     DATA_LOSS           source_failed: damage there
//   XX002     DATA_LOSS           source_failed: damage there
//   other     UNKNOWN             source_failed
//
// A message is one line: those of the server's are joined by "; ".

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice::postgres {

inline constexpr absl::string_view kLockNotAvailable = "55P03";
inline constexpr absl::string_view kDiskFull = "53100";
inline constexpr absl::string_view kInvalidSchema = "3F000";
inline constexpr absl::string_view kUndefinedTable = "42P01";
inline constexpr absl::string_view kWrongObjectType = "42809";

// An error of the server: five characters and its text for people.
absl::Status SqlError(absl::string_view sql_state, absl::string_view message);

// The lines of `text` that hold something, without the white space around them,
// joined by "; ". Tabs become spaces.
std::string OneLine(absl::string_view text);

// The server is gone or was never reached; `message` is libpq's own.
absl::Status ConnectionLost(absl::string_view message);

// The SQLSTATE that `status` was made with, else "".
std::string SqlStateOf(const absl::Status& status);

// `status` with `object: ` before its message, if it is an error of the
// server's or of libpq's. Any other, such as a sink's, is passed on as it is.
absl::Status NameObject(const absl::Status& status, absl::string_view object);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_CLIENT_SQL_ERROR_H_
