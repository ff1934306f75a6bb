#include "sluice/catalog/sqlite/sqlite_outbox.h"

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"

namespace sluice {
namespace {

constexpr char kReading[] = "notify.reading";  // "EVENT STEP"
constexpr char kNotePrefix[] = "notify.note.";

constexpr char kOutboxColumns[] =
    "id, at_ms, channel, subject, body, attempts, "
    "ifnull(next_attempt_ms, 9223372036854775807), error";

OutboxMessage MessageOf(const SqliteStatement& row) {
  OutboxMessage message;
  message.id = row.Integer(0);
  message.at = absl::FromUnixMillis(row.Integer(1));
  message.channel = row.Text(2);
  message.subject = row.Text(3);
  message.body = row.Text(4);
  message.attempts = static_cast<uint32_t>(row.Integer(5));
  const int64_t next = row.Integer(6);
  message.next_attempt =
      next == INT64_MAX ? absl::InfiniteFuture() : absl::FromUnixMillis(next);
  message.error = row.Text(7);
  return message;
}

int64_t OutboxMillis(absl::Time time) {
  return time == absl::InfiniteFuture() ? INT64_MAX : absl::ToUnixMillis(time);
}

absl::StatusOr<OutboxReading> ReadReading(SqliteConnection& connection) {
  OutboxReading reading;
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare("SELECT value FROM settings WHERE name = ?"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(kReading).Step());
  if (!row) return reading;
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(select.Text(0), absl::MaxSplits(' ', 1));
  if (!absl::SimpleAtoi(parts.first, &reading.event_id) ||
      !absl::SimpleAtoi(parts.second, &reading.step)) {
    return MakeError(absl::StatusCode::kDataLoss, kCatalogUnavailable,
                     "catalog: how far events were told of cannot be read");
  }
  reading.begun = true;
  return reading;
}

absl::Status PutSetting(SqliteConnection& connection, absl::string_view name,
                        const absl::optional<std::string>& value) {
  if (!value.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(
        SqliteStatement remove,
        connection.Prepare("DELETE FROM settings WHERE name = ?"));
    return remove.Bind(name).Run();
  }
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare("REPLACE INTO settings VALUES (?, ?)"));
  return put.Bind(name).Bind(*value).Run();
}

absl::Status InsertMessage(SqliteConnection& connection,
                           const OutboxMessage& message) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement insert,
      connection.Prepare(
          "INSERT INTO outbox (at_ms, channel, subject, body, attempts, "
          "next_attempt_ms, error) VALUES (?, ?, ?, ?, 0, ?, '')"));
  return insert.Bind(absl::ToUnixMillis(message.at))
      .Bind(message.channel)
      .Bind(message.subject)
      .Bind(message.body)
      .Bind(absl::ToUnixMillis(message.next_attempt))
      .Run();
}

absl::Status StoreStep(SqliteConnection& connection, const OutboxStep& step) {
  for (const std::string& channel : step.replaced) {
    SLUICE_ASSIGN_OR_RETURN(
        SqliteStatement remove,
        connection.Prepare("DELETE FROM outbox WHERE channel = ?"));
    SLUICE_RETURN_IF_ERROR(remove.Bind(channel).Run());
  }
  for (const OutboxMessage& message : step.messages) {
    SLUICE_RETURN_IF_ERROR(InsertMessage(connection, message));
  }
  for (const auto& [name, value] : step.notes) {
    SLUICE_RETURN_IF_ERROR(
        PutSetting(connection, absl::StrCat(kNotePrefix, name), value));
  }
  return PutSetting(connection, kReading,
                    absl::StrCat(step.event_id, " ", step.expected.step + 1));
}

absl::Status NotificationNotFound(int64_t id) {
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kNotificationNotFound,
                absl::StrCat("no notification ", id,
                             " waits: it was delivered, or never was")),
      "`sluice notify list` shows those that are there");
}

}  // namespace

absl::StatusOr<OutboxReading> SqliteOutbox::Reading(const Context& context) {
  return database_->Get<OutboxReading>(context, ReadReading);
}

absl::StatusOr<std::map<std::string, std::string>> SqliteOutbox::Notes(
    const Context& context) {
  return database_->Get<std::map<std::string, std::string>>(
      context,
      [](SqliteConnection& connection)
          -> absl::StatusOr<std::map<std::string, std::string>> {
        std::map<std::string, std::string> notes;
        // '/' is what follows '.'.
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare("SELECT name, value FROM settings WHERE name > "
                               "'notify.note.' AND name < 'notify.note/'"));
        while (true) {
          SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
          if (!row) return notes;
          notes.emplace(absl::StripPrefix(select.Text(0), kNotePrefix),
                        select.Text(1));
        }
      });
}

absl::StatusOr<bool> SqliteOutbox::Advance(const Context& context,
                                           const OutboxStep& step) {
  bool moved = false;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const OutboxReading now,
                                ReadReading(connection));
        moved = now == step.expected;
        return moved ? StoreStep(connection, step) : absl::OkStatus();
      }));
  return moved;
}

absl::StatusOr<std::vector<OutboxMessage>> SqliteOutbox::Due(
    const Context& context, absl::Time now, size_t limit, size_t per_channel) {
  return database_->Get<std::vector<OutboxMessage>>(
      context,
      [&](SqliteConnection& connection)
          -> absl::StatusOr<std::vector<OutboxMessage>> {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(absl::StrCat(
                "SELECT ", kOutboxColumns,
                " FROM (SELECT *, row_number() OVER (PARTITION BY channel "
                "ORDER BY next_attempt_ms, id) AS place FROM outbox WHERE "
                "next_attempt_ms <= ?) WHERE place <= ? ORDER BY "
                "next_attempt_ms, id LIMIT ?")));
        select.Bind(absl::ToUnixMillis(now))
            .Bind(static_cast<int64_t>(per_channel))
            .Bind(static_cast<int64_t>(limit));
        return select.All<OutboxMessage>(MessageOf);
      });
}

absl::StatusOr<absl::Time> SqliteOutbox::NextAttempt(const Context& context) {
  SLUICE_ASSIGN_OR_RETURN(
      const int64_t next,
      database_->Get<int64_t>(context, [](SqliteConnection& connection) {
        return connection.QueryInteger(
            "SELECT ifnull(min(next_attempt_ms), 9223372036854775807) FROM "
            "outbox");
      }));
  return next == INT64_MAX ? absl::InfiniteFuture()
                           : absl::FromUnixMillis(next);
}

absl::StatusOr<bool> SqliteOutbox::Claim(const Context& context,
                                         const OutboxMessage& message,
                                         absl::Time until) {
  bool claimed = false;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare(
                "UPDATE outbox SET attempts = attempts + 1, next_attempt_ms = "
                "? WHERE id = ? AND attempts = ? AND next_attempt_ms = ?"));
        SLUICE_RETURN_IF_ERROR(update.Bind(absl::ToUnixMillis(until))
                                   .Bind(message.id)
                                   .Bind(int64_t{message.attempts})
                                   .Bind(OutboxMillis(message.next_attempt))
                                   .Run());
        claimed = connection.Changes() > 0;
        return absl::OkStatus();
      }));
  return claimed;
}

absl::Status SqliteOutbox::Delivered(const Context& context, int64_t id) {
  return database_->Delete(context, "DELETE FROM outbox WHERE id = ?", id)
      .status();
}

absl::Status SqliteOutbox::Failed(const Context& context, int64_t id,
                                  const std::string& error,
                                  absl::Time next_attempt) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare(
                "UPDATE outbox SET error = ?, next_attempt_ms = nullif(?, "
                "9223372036854775807) WHERE id = ?"));
        return update.Bind(error)
            .Bind(OutboxMillis(next_attempt))
            .Bind(id)
            .Run();
      });
}

absl::StatusOr<std::vector<OutboxMessage>> SqliteOutbox::List(
    const Context& context, int64_t before, size_t limit) {
  return database_->Get<std::vector<OutboxMessage>>(
      context,
      [&](SqliteConnection& connection)
          -> absl::StatusOr<std::vector<OutboxMessage>> {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(absl::StrCat(
                "SELECT ", kOutboxColumns,
                " FROM outbox WHERE id < ? ORDER BY id DESC LIMIT ?")));
        select.Bind(before == 0 ? INT64_MAX : before)
            .Bind(static_cast<int64_t>(limit));
        return select.All<OutboxMessage>(MessageOf);
      });
}

absl::StatusOr<OutboxMessage> SqliteOutbox::Retry(const Context& context,
                                                  int64_t id, absl::Time now) {
  OutboxMessage message;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare("UPDATE outbox SET attempts = 0, "
                               "next_attempt_ms = ? WHERE id = ?"));
        SLUICE_RETURN_IF_ERROR(
            update.Bind(absl::ToUnixMillis(now)).Bind(id).Run());
        if (connection.Changes() == 0) return NotificationNotFound(id);
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(absl::StrCat("SELECT ", kOutboxColumns,
                                            " FROM outbox WHERE id = ?")));
        SLUICE_RETURN_IF_ERROR(select.Bind(id).Step().status());
        message = MessageOf(select);
        return absl::OkStatus();
      }));
  return message;
}

absl::StatusOr<size_t> SqliteOutbox::DeleteGivenUp(const Context& context,
                                                   absl::Time before) {
  return database_->Delete(context,
                           "DELETE FROM outbox WHERE at_ms < ? AND "
                           "next_attempt_ms IS NULL",
                           absl::ToUnixMillis(before));
}

}  // namespace sluice
