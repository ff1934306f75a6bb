#include "sluice/catalog/sqlite/sqlite_access.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/rows.h"

namespace sluice {
namespace {

constexpr char kTokenColumns[] =
    "id, sha256, role, plan_id, label, created_at_ms, "
    "ifnull(expires_at_ms, 9223372036854775807), "
    "ifnull(revoked_at_ms, 9223372036854775807), "
    "ifnull(last_used_at_ms, 9223372036854775807)";

absl::Time TimeOr(int64_t millis, absl::Time never) {
  return millis == INT64_MAX ? never : absl::FromUnixMillis(millis);
}

AccessToken TokenOf(const SqliteStatement& row) {
  AccessToken token;
  token.id = row.Text(0);
  token.sha256 = row.Text(1);
  token.role = row.Text(2);
  token.plan_id = row.Text(3);
  token.label = row.Text(4);
  token.created_at = absl::FromUnixMillis(row.Integer(5));
  token.expires_at = TimeOr(row.Integer(6), absl::InfiniteFuture());
  token.revoked_at = TimeOr(row.Integer(7), absl::InfiniteFuture());
  token.last_used_at = TimeOr(row.Integer(8), absl::InfinitePast());
  return token;
}

}  // namespace

absl::Status SqliteAccess::AddToken(const Context& context,
                                    const AccessToken& token) {
  if (token.id.empty() || token.sha256.empty() || token.role.empty()) {
    return InvalidArgument("a token has an id, a hash and a role");
  }
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement insert,
            connection.Prepare(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, nullif(?, "
                "9223372036854775807), NULL, NULL)"));
        return insert.Bind(token.id)
            .Bind(token.sha256)
            .Bind(token.role)
            .Bind(token.plan_id)
            .Bind(token.label)
            .Bind(absl::ToUnixMillis(token.created_at))
            .Bind(token.expires_at == absl::InfiniteFuture()
                      ? INT64_MAX
                      : absl::ToUnixMillis(token.expires_at))
            .Run();
      });
}

absl::StatusOr<absl::optional<AccessToken>> SqliteAccess::FindToken(
    const Context& context, absl::string_view sha256) {
  absl::optional<AccessToken> found;
  SLUICE_RETURN_IF_ERROR(database_->Read(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(absl::StrCat("SELECT ", kTokenColumns,
                                            " FROM tokens WHERE sha256 = ?")));
        SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(sha256).Step());
        if (row) found = TokenOf(select);
        return absl::OkStatus();
      }));
  return found;
}

absl::StatusOr<std::vector<AccessToken>> SqliteAccess::ListTokens(
    const Context& context) {
  return database_->Get<std::vector<AccessToken>>(
      context,
      [&](SqliteConnection& connection)
          -> absl::StatusOr<std::vector<AccessToken>> {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(absl::StrCat("SELECT ", kTokenColumns,
                                            " FROM tokens ORDER BY id")));
        return select.All<AccessToken>(&TokenOf);
      });
}

absl::Status SqliteAccess::RevokeToken(const Context& context,
                                       absl::string_view id_or_prefix,
                                       absl::Time at) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "tokens", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare("UPDATE tokens SET revoked_at_ms = "
                               "ifnull(revoked_at_ms, ?) WHERE id = ?"));
        return update.Bind(absl::ToUnixMillis(at)).Bind(id).Run();
      });
}

absl::Status SqliteAccess::TouchToken(const Context& context,
                                      absl::string_view id,
                                      absl::Time used_at) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare("UPDATE tokens SET last_used_at_ms = "
                               "max(ifnull(last_used_at_ms, 0), ?) WHERE id = "
                               "?"));
        return update.Bind(absl::ToUnixMillis(used_at)).Bind(id).Run();
      });
}

absl::Status SqliteAccess::AddAudit(const Context& context,
                                    const AuditEntry& entry) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement insert,
            connection.Prepare("INSERT INTO audit (at_ms, who, action, target, "
                               "outcome) VALUES (?,?,?,?,?)"));
        return insert.Bind(absl::ToUnixMillis(entry.at))
            .Bind(entry.who)
            .Bind(entry.action)
            .Bind(entry.target)
            .Bind(entry.outcome)
            .Run();
      });
}

absl::StatusOr<std::vector<AuditEntry>> SqliteAccess::ListAudit(
    const Context& context, int64_t before, size_t limit) {
  return database_->Get<std::vector<AuditEntry>>(
      context,
      [&](SqliteConnection& connection)
          -> absl::StatusOr<std::vector<AuditEntry>> {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(
                "SELECT id, at_ms, who, action, target, outcome FROM audit "
                "WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2"));
        select.Bind(before).Bind(static_cast<int64_t>(limit));
        return select.All<AuditEntry>([](const SqliteStatement& row) {
          return AuditEntry{
              row.Integer(0), absl::FromUnixMillis(row.Integer(1)),
              row.Text(2),    row.Text(3),
              row.Text(4),    row.Text(5)};
        });
      });
}

}  // namespace sluice
