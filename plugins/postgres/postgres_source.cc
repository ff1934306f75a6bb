#include "sluice/plugins/postgres/postgres_source.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/connection.h"
#include "sluice/plugins/postgres/database_properties.h"
#include "sluice/plugins/postgres/head_reader.h"
#include "sluice/plugins/postgres/interrupt.h"
#include "sluice/plugins/postgres/restore.h"

namespace sluice::postgres {
namespace {

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
    return BackupDatabase(run, options_.backup, sink);
  }

  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    return RestoreDatabase(run, request, options_.restore);
  }

 private:
  const PostgresSourceOptions options_;
};

}  // namespace

std::unique_ptr<sdk::Source> MakePostgresSource(PostgresSourceOptions options) {
  options.restore.target = options.backup.connection;
  return std::make_unique<PostgresSource>(std::move(options));
}

}  // namespace sluice::postgres
