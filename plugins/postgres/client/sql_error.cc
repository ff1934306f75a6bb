#include "sluice/plugins/postgres/client/sql_error.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kSqlStatePayload = "type.sluice/sqlstate";

struct Meaning {
  absl::string_view prefix;  // of the SQLSTATE; the first that fits counts
  absl::StatusCode code;
  absl::string_view word;
  bool retryable;
  absl::string_view hint;
};

constexpr absl::string_view kHbaHint =
    "the server's pg_hba.conf has to admit this host, user and database, with "
    "or without TLS (sslmode=) as it says; then reload the server";

constexpr Meaning kMeanings[] = {
    {"28P01", absl::StatusCode::kPermissionDenied, kSourcePermissionDenied,
     false,
     "passwords come from ~/.pgpass, a service file, or password=env:NAME"},
    {"28", absl::StatusCode::kPermissionDenied, kSourcePermissionDenied, false,
     "is the role one of this server's, with LOGIN? it is user=NAME, else the "
     "name of who runs this"},
    {"42501", absl::StatusCode::kPermissionDenied, kSourcePermissionDenied,
     false,
     "a backup must be able to read everything: give its user "
     "pg_read_all_data and BYPASSRLS, or use the owner or a superuser"},
    {"3D000", absl::StatusCode::kNotFound, kSourceUnavailable, false,
     "is the database's name right? A restore is into one that is there and "
     "empty: createdb -T template0 NAME"},
    {"25006", absl::StatusCode::kFailedPrecondition, kSourceReadOnly, false,
     "it is a standby, or default_transaction_read_only is on there, which "
     "options=-c default_transaction_read_only=off changes for this run"},
    {"08", absl::StatusCode::kUnavailable, kSourceUnavailable, true, ""},
    {"57P03", absl::StatusCode::kUnavailable, kSourceUnavailable, true,
     "the server is starting up or shutting down"},
    {"53300", absl::StatusCode::kUnavailable, kSourceUnavailable, true,
     "the server has no connection to spare: lower jobs="},
    {"57P01", absl::StatusCode::kUnavailable, kSourceAborted, true, ""},
    {"57P02", absl::StatusCode::kUnavailable, kSourceAborted, true, ""},
    {"57014", absl::StatusCode::kAborted, kSourceAborted, true, ""},
    {"53100", absl::StatusCode::kResourceExhausted, kSourceNoSpace, false,
     "it is the server's disk that is full"},
    {"53", absl::StatusCode::kResourceExhausted, kSourceFailed, false, ""},
    {"40", absl::StatusCode::kAborted, kSourceFailed, true, ""},
    {"55P03", absl::StatusCode::kAborted, kSourceFailed, true, ""},
    {"XX001", absl::StatusCode::kDataLoss, kSourceFailed, false, ""},
    {"XX002", absl::StatusCode::kDataLoss, kSourceFailed, false, ""},
    {"", absl::StatusCode::kUnknown, kSourceFailed, false, ""},
};

}  // namespace

absl::Status SqlError(absl::string_view sql_state, absl::string_view message) {
  for (const Meaning& meaning : kMeanings) {
    if (!absl::StartsWith(sql_state, meaning.prefix)) continue;
    absl::Status status =
        MakeError(meaning.code, meaning.word, OneLine(message));
    status.SetPayload(kSqlStatePayload, absl::Cord(sql_state));
    // The file's name is the same in every language.
    if (absl::StrContains(message, "pg_hba.conf")) {
      status = WithHint(std::move(status), kHbaHint);
    } else if (!meaning.hint.empty()) {
      status = WithHint(std::move(status), meaning.hint);
    }
    return WithRetryable(std::move(status), meaning.retryable);
  }
  return absl::InternalError("the last meaning fits every SQLSTATE");
}

std::string OneLine(absl::string_view text) {
  std::string line;
  for (const absl::string_view part :
       absl::StrSplit(text, absl::ByAnyChar("\n\r"))) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(part);
    if (stripped.empty()) continue;
    absl::StrAppend(&line, line.empty() ? "" : "; ", stripped);
  }
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

absl::Status ConnectionLost(absl::string_view message) {
  absl::Status status = MakeError(absl::StatusCode::kUnavailable, kSourceFailed,
                                  OneLine(message));
  status.SetPayload(kSqlStatePayload, absl::Cord());
  return status;
}

absl::Status NameObject(const absl::Status& status, absl::string_view object) {
  return status.GetPayload(kSqlStatePayload).has_value()
             ? Annotate(status, object)
             : status;
}

std::string SqlStateOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload =
      status.GetPayload(kSqlStatePayload);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace sluice::postgres
