#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_STAGING_DATABASE_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_STAGING_DATABASE_H_

// The database that a restore fills before anybody sees it, and its change of
// place with the target.
//
//   SLUICE_ASSIGN_OR_RETURN(
//       auto staging, StagingDatabase::Create(options, here, &interrupt));
//   Fill(staging->options());
//   SLUICE_RETURN_IF_ERROR(staging->Publish(properties, store_id, warn));
//
// Both are renamed in one transaction: at each moment the target's name is that
// of the old, empty database or of the whole new one. What a restore that died
// has left is removed first, for every target (leftovers.h).
//
// RestoreOptions::in_place: there is no second database, and no change of
// names; the target itself is filled. Until the end only superusers can connect
// to it, where a superuser restores; after a failure that stays so.
//
// One thread. Errors: restore_precondition_failed where another restore into
// this target runs, or sessions in it do not let it be renamed; else the
// connection's.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/restore/restore_options.h"

namespace sluice::postgres {

class StagingDatabase {
 public:
  using Warn =
      std::function<void(absl::string_view word, absl::string_view message)>;

  // Takes the lock, removes leftovers, creates the staging database as `here`
  // is, the target's properties. `warn` is told of what a failure has left.
  // Borrows `options` and `interrupt`.
  static absl::StatusOr<std::unique_ptr<StagingDatabase>> Create(
      const RestoreOptions& options, const PayloadDatabase& here,
      const Interrupt* interrupt, const Warn& warn);
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
  // Drops it, unless it was published. Gives up after `patience`: the server
  // goes on with the DROP, and the next run does it. With `disk_is_full` its
  // tables are dropped first, or there would be no room for what the server
  // must write before. In words what is left; "" for nothing.
  std::string Discard(absl::Duration patience, bool disk_is_full = false);

 private:
  StagingDatabase(const RestoreOptions& options, const PayloadDatabase& here,
                  const Interrupt* interrupt);

  absl::Status Administer();
  absl::Status Lock();
  absl::Status Make();
  absl::Status CreateBeside();
  absl::Status OpenInPlace();
  absl::Status KeepStoreId(absl::string_view store_id, const Warn& warn);
  absl::Status Swap();
  absl::StatusOr<bool> SettleSwap();
  void DropOld(const Warn& warn);
  absl::Status DropStaging(const Interrupt& interrupt);

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
  bool created_ = false;  // there is something to discard
  bool published_ = false;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_STAGING_DATABASE_H_
