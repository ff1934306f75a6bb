#include "sluice/plugins/postgres/postgres_source.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/backup/head_reader.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/database/database_properties.h"
#include "sluice/plugins/postgres/database/leftovers.h"
#include "sluice/plugins/postgres/restore/restore.h"

namespace sluice::postgres {
namespace {

constexpr absl::Duration kLeftoverPatience = absl::Seconds(10);

class PostgresSource : public sdk::Source {
 public:
  explicit PostgresSource(PostgresSourceOptions options)
      : options_(std::move(options)) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    const Interrupt interrupt(run);
    ConnectionOptions options = options_.backup.connection;
    options.in_transactions = true;
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> connection,
                            Connection::Open(options, &interrupt));
    SLUICE_RETURN_IF_ERROR(connection->Begin("READ ONLY"));
    sdk::SourceInfo info;
    SLUICE_ASSIGN_OR_RETURN(info.empty, IsEmptyDatabase(*connection));
    info.store_id = options_.backup.store_id;
    if (info.store_id.empty()) {
      SLUICE_ASSIGN_OR_RETURN(info.store_id, info.empty
                                                 ? ReadOwnStoreId(*connection)
                                                 : ReadStoreId(*connection));
    }
    return info;
  }

  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    if (request.has_base) {
      SLUICE_RETURN_IF_ERROR(sink.SetMetadata(sdk::kFullMetadata, "1"));
    }
    RemoveLeftovers(run, sink);
    return BackupDatabase(run, options_.backup, sink);
  }

  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    return RestoreDatabase(run, request, options_.restore);
  }

 private:
  // Of restores that died, as far as this role may; no reason for a backup to
  // fail.
  void RemoveLeftovers(const sdk::Run& run, sdk::Sink& sink) const {
    const Interrupt interrupt(run, absl::Now() + kLeftoverPatience);
    // Behind a pooler a session is another's next: no setting and no lock of
    // ours may stay in it.
    ConnectionOptions options = options_.backup.connection;
    options.in_transactions = true;
    const absl::StatusOr<std::unique_ptr<Connection>> connection =
        Connection::Open(options, &interrupt);
    if (!connection.ok() || (*connection)->pooled()) return;
    const std::string left =
        SweepLeftovers(**connection, options_.backup.connection, interrupt);
    if (left.empty()) return;
    sink.AddWarning("leftover_database",
                    absl::StrCat("a restore that died has left what could not "
                                 "be removed: ",
                                 left));
  }

  const PostgresSourceOptions options_;
};

}  // namespace

std::unique_ptr<sdk::Source> MakePostgresSource(PostgresSourceOptions options) {
  options.restore.target = options.backup.connection;
  return std::make_unique<PostgresSource>(std::move(options));
}

}  // namespace sluice::postgres
