#ifndef SLUICE_PLUGINS_POSTGRES_STAGING_DATABASE_H_
#define SLUICE_PLUGINS_POSTGRES_STAGING_DATABASE_H_

// The database that a restore fills before anybody sees it, and its change of
// place with the target.
//
//   SLUICE_ASSIGN_OR_RETURN(auto staging,
//                           StagingDatabase::Create(options, here,
//                           &interrupt));
//   Fill(staging->options());
//   SLUICE_RETURN_IF_ERROR(staging->Publish(properties, store_id, warn));
//
// Both are renamed in one transaction: at each moment the target's name is that
// of the old, empty database or of the whole new one. Names tell leftovers:
// "sluice-restore-OID-new" and "-old", where OID is the target's. A restore
// holds an advisory lock of that OID in the database that it administers from;
// the server lets go of it when the restore dies, however it dies. So whoever
// gets the lock may drop what bears the name, which Create does first, for
// every target. An old database is dropped only as long as it is empty.
//
// One thread. Errors: restore_precondition_failed where another restore into
// this target runs, or sessions in it do not let it be renamed; else the
// connection's.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/plugins/postgres/connection.h"
#include "sluice/plugins/postgres/interrupt.h"
#include "sluice/plugins/postgres/payload_index.h"
#include "sluice/plugins/postgres/restore_options.h"

namespace sluice::postgres {

class StagingDatabase {
 public:
  using Warn =
      std::function<void(absl::string_view word, absl::string_view message)>;

  // Takes the lock, removes leftovers, creates the staging database as `here`
  // is, the target's properties. Borrows `options` and `interrupt`.
  static absl::StatusOr<std::unique_ptr<StagingDatabase>> Create(
      const RestoreOptions& options, const PayloadDatabase& here,
      const Interrupt* interrupt);
  // Lets go of the lock. What was neither published nor discarded is a
  // leftover.
  ~StagingDatabase();
  StagingDatabase(const StagingDatabase&) = delete;
  StagingDatabase& operator=(const StagingDatabase&) = delete;

  // How to connect to it.
  const ConnectionOptions& database() const { return staging_options_; }

  // Gives it `properties` and the store's id, and the target's place; every
  // session in it is closed before. `warn` is told of an old database that
  // could not be dropped, and of a store id that could not be kept.
  absl::Status Publish(const PayloadDatabase& properties,
                       absl::string_view store_id, const Warn& warn);
  // Drops it, unless it was published. Gives up after `patience`: the next
  // restore does it. With `disk_is_full` its tables are dropped first, or there
  // would be no room for what the server must write before.
  void Discard(absl::Duration patience, bool disk_is_full = false);

 private:
  StagingDatabase(const RestoreOptions& options, const PayloadDatabase& here,
                  const Interrupt* interrupt);

  absl::Status Administer();
  absl::Status Lock();
  absl::Status RemoveLeftovers();
  absl::Status RemoveLeftover(absl::string_view name);
  absl::Status RemoveLeftoverRoles();
  // Calls `remove` unless a restore into the target of that oid is alive.
  absl::Status WithLockOf(absl::string_view oid,
                          absl::FunctionRef<absl::Status()> remove);
  absl::Status KeepStoreId(absl::string_view store_id, const Warn& warn);
  absl::Status Swap();
  absl::StatusOr<bool> SettleSwap();
  absl::Status DropOld(const Interrupt* interrupt, absl::string_view name);

  const RestoreOptions& options_;
  const Interrupt* const interrupt_;
  const std::string target_;  // names
  std::string staging_;
  std::string old_;
  ConnectionOptions admin_options_;
  ConnectionOptions staging_options_;
  PayloadDatabase here_;
  std::unique_ptr<Connection> admin_;  // holds the lock
  std::string target_oid_;
  std::string staging_oid_;
  bool created_ = false;
  bool published_ = false;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_STAGING_DATABASE_H_
