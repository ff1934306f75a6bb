#include "sluice/plugins/postgres/endpoint.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::postgres {
namespace {

absl::Status Invalid(absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
                   absl::StrCat("postgresql: ", what));
}

// "host:port", "[::1]:port", "host"
void SplitHost(absl::string_view text, std::string& host, std::string& port) {
  const size_t bracket =
      absl::StartsWith(text, "[") ? text.find(']') : absl::string_view::npos;
  const bool is_bracketed = bracket != absl::string_view::npos;
  const size_t colon = text.find(':', is_bracketed ? bracket : 0);
  host = std::string(is_bracketed ? text.substr(1, bracket - 1)
                                  : text.substr(0, colon));
  port = colon == absl::string_view::npos ? ""
                                          : std::string(text.substr(colon + 1));
}

// user@host:port,host:port
void AddAuthority(absl::string_view authority, ConnectionOptions& connection) {
  const size_t at = authority.rfind('@');
  if (at != absl::string_view::npos) {
    connection.Set("user", authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  std::vector<std::string> hosts, ports;
  bool has_port = false;
  for (const absl::string_view one : absl::StrSplit(authority, ',')) {
    std::string host, port;
    SplitHost(one, host, port);
    has_port |= !port.empty();
    hosts.push_back(std::move(host));
    ports.push_back(std::move(port));
  }
  const std::string host = absl::StrJoin(hosts, ",");
  if (!host.empty()) connection.Set("host", host);
  if (has_port) connection.Set("port", absl::StrJoin(ports, ","));
}

// The next name of `text`, as SQL has it.
absl::StatusOr<std::string> ConsumeName(absl::string_view& text) {
  std::string name;
  if (absl::ConsumePrefix(&text, "\"")) {
    while (true) {
      const size_t quote = text.find('"');
      if (quote == absl::string_view::npos) {
        return Invalid("payload_ids= has a quote without an end");
      }
      absl::StrAppend(&name, text.substr(0, quote));
      text.remove_prefix(quote + 1);
      if (!absl::ConsumePrefix(&text, "\"")) break;
      name.push_back('"');
    }
  } else {
    while (!text.empty() && text[0] != '.' && text[0] != ',') {
      name.push_back(absl::ascii_tolower(static_cast<unsigned char>(text[0])));
      text.remove_prefix(1);
    }
  }
  if (name.empty()) {
    return WithHint(Invalid("payload_ids= has a name that is empty"),
                    "write SCHEMA.TABLE.COLUMN");
  }
  return name;
}

absl::StatusOr<absl::Duration> ConnectTimeout(const sdk::Options& options) {
  int seconds = 0;
  if (!absl::SimpleAtoi(options.Get("connect_timeout"), &seconds)) {
    return options.GetDuration("connect_timeout", absl::Seconds(10));
  }
  return seconds <= 0 ? absl::InfiniteDuration()
                      : absl::Seconds(std::max(2, seconds));
}

}  // namespace

absl::StatusOr<ConnectionOptions> ConnectionFrom(const sdk::Options& options) {
  ConnectionOptions connection;
  if (const std::string authority = options.Get("authority");
      !authority.empty()) {
    AddAuthority(authority, connection);
  }
  if (std::string path = options.Get("path"); !path.empty() && path != "/") {
    if (path[0] != '/') {
      return WithHint(Invalid("a database's name stands after a slash"),
                      "write postgresql://HOST/DATABASE, or "
                      "postgresql:?dbname=DATABASE");
    }
    connection.Set("dbname", path.substr(1));
  }
  for (const absl::string_view keyword : kPassedOn) {
    if (!options.Has(keyword)) continue;
    if (!connection.Get(keyword).empty()) {
      return Invalid(absl::StrCat(keyword, "= is given twice"));
    }
    connection.Set(keyword, options.Get(keyword));
  }
  for (const auto& parameter : connection.parameters) {
    if (parameter.second.find('\0') != std::string::npos) {
      return Invalid(absl::StrCat(parameter.first, " holds a NUL"));
    }
  }
  connection.password = options.Get("password");
  SLUICE_ASSIGN_OR_RETURN(connection.connect_timeout, ConnectTimeout(options));
  return connection;
}

absl::StatusOr<std::vector<PayloadIdColumn>> ParsePayloadIds(
    absl::string_view text) {
  std::vector<PayloadIdColumn> columns;
  while (!text.empty()) {
    PayloadIdColumn column;
    SLUICE_ASSIGN_OR_RETURN(column.schema, ConsumeName(text));
    for (std::string* const name : {&column.table, &column.column}) {
      if (!absl::ConsumePrefix(&text, ".")) {
        return WithHint(Invalid("payload_ids= has too few names"),
                        "write SCHEMA.TABLE.COLUMN");
      }
      SLUICE_ASSIGN_OR_RETURN(*name, ConsumeName(text));
    }
    columns.push_back(std::move(column));
    if (text.empty()) break;
    if (!absl::ConsumePrefix(&text, ",") || text.empty()) {
      return WithHint(Invalid("payload_ids= goes on after a column"),
                      "separate several by commas");
    }
  }
  return columns;
}

}  // namespace sluice::postgres
