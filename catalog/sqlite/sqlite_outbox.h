#ifndef SLUICE_CATALOG_SQLITE_SQLITE_OUTBOX_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_OUTBOX_H_

// The OutboxStore over a SqliteDatabase, which it borrows. The reading and the
// notes are rows of the table `settings`, beneath "notify.".

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/catalog/outbox_store.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"

namespace sluice {

class SqliteOutbox final : public OutboxStore {
 public:
  explicit SqliteOutbox(SqliteDatabase* database) : database_(database) {}

  absl::StatusOr<OutboxReading> Reading(const Context& context) override;
  absl::StatusOr<std::map<std::string, std::string>> Notes(
      const Context& context) override;
  absl::StatusOr<bool> Advance(const Context& context,
                               const OutboxStep& step) override;
  absl::StatusOr<std::vector<OutboxMessage>> Due(const Context& context,
                                                 absl::Time now, size_t limit,
                                                 size_t per_channel) override;
  absl::StatusOr<absl::Time> NextAttempt(const Context& context) override;
  absl::StatusOr<bool> Claim(const Context& context,
                             const OutboxMessage& message,
                             absl::Time until) override;
  absl::Status Delivered(const Context& context, int64_t id) override;
  absl::Status Failed(const Context& context, int64_t id,
                      const std::string& error,
                      absl::Time next_attempt) override;
  absl::StatusOr<std::vector<OutboxMessage>> List(const Context& context,
                                                  int64_t before,
                                                  size_t limit) override;
  absl::StatusOr<OutboxMessage> Retry(const Context& context, int64_t id,
                                      absl::Time now) override;
  absl::StatusOr<size_t> DeleteGivenUp(const Context& context,
                                       absl::Time before) override;

 private:
  SqliteDatabase* const database_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_OUTBOX_H_
