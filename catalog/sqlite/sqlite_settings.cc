#include "sluice/catalog/sqlite/sqlite_settings.h"

#include "absl/strings/numbers.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

constexpr char kRevision[] = "revision";

absl::StatusOr<absl::optional<std::string>> ReadValue(
    SqliteConnection& connection, absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare("SELECT value FROM settings WHERE name = ?"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(name).Step());
  if (!row) return absl::optional<std::string>();
  return absl::optional<std::string>(select.Text(0));
}

absl::Status PutValue(SqliteConnection& connection, absl::string_view name,
                      absl::string_view value) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare("REPLACE INTO settings (name, value) VALUES (?, ?)"));
  return put.Bind(name).Bind(value).Run();
}

}  // namespace

absl::Status RaiseSettingsRevision(SqliteConnection& connection) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement raise,
      connection.Prepare(
          "INSERT INTO settings (name, value) VALUES (?, '1') ON CONFLICT "
          "(name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"));
  return raise.Bind(kRevision).Run();
}

absl::StatusOr<absl::optional<std::string>> SqliteSettings::Get(
    const Context& context, absl::string_view name) {
  return database_->Get<absl::optional<std::string>>(
      context, [&](SqliteConnection& connection) {
        return ReadValue(connection, name);
      });
}

absl::Status SqliteSettings::Set(const Context& context, absl::string_view name,
                                 absl::string_view value) {
  return database_->Write(context, [&](SqliteConnection& connection) {
    return PutValue(connection, name, value);
  });
}

absl::StatusOr<std::string> SqliteSettings::GetOrSet(const Context& context,
                                                     absl::string_view name,
                                                     absl::string_view value) {
  // A look costs no turn as the only writer.
  SLUICE_ASSIGN_OR_RETURN(absl::optional<std::string> there,
                          Get(context, name));
  if (there.has_value()) return *there;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(there, ReadValue(connection, name));
        if (there.has_value()) return absl::OkStatus();
        there = std::string(value);
        return PutValue(connection, name, value);
      }));
  return *there;
}

absl::Status SqliteSettings::Remove(const Context& context,
                                    absl::string_view name) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement remove,
            connection.Prepare("DELETE FROM settings WHERE name = ?"));
        return remove.Bind(name).Run();
      });
}

absl::StatusOr<uint64_t> SqliteSettings::Revision(const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<std::string> text,
                          Get(context, kRevision));
  uint64_t revision = 0;
  if (text.has_value() && !absl::SimpleAtoi(*text, &revision)) revision = 0;
  return revision;
}

}  // namespace sluice
