#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_OPTIONS_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/database/role_map.h"

namespace sluice::postgres {

struct RestoreOptions {
  // The empty database that is restored into.
  ConnectionOptions target;
  // Sessions that load rows, and jobs of pg_restore. At least 1.
  int jobs = 2;
  // Everything belongs to who restores; the database keeps its owner.
  bool no_owner = false;
  // No rights are restored; the database keeps its own.
  bool no_privileges = false;
  // What belonged to a role of the archive that is not here, goes to one that
  // is.
  RoleMap role_map;
  // Restores although text may sort otherwise here than where it comes from: an
  // index is made anew and right, but a partition's bound may not hold.
  bool any_collation = false;
  // Restores although an extension is here in other versions alone.
  bool any_extension_version = false;
  // CHECK constraints are held against the rows only when all are there, and
  // one that does not hold comes back NOT VALID.
  bool disable_checks = false;
  // Fills the target itself, for extensions that allow one database name alone.
  // A failure leaves a part of it.
  bool in_place = false;
  // Where pg_restore is; empty: where Debian keeps it, or the PATH.
  std::string tools_folder;
  // For the archive of the definitions, while it is needed; empty: $TMPDIR, or
  // /tmp. Some MiB, whatever the database's size.
  std::string scratch_folder;
  // Bytes of parts that wait to be loaded; one larger part waits alone.
  uint64_t queue_bytes = 16 << 20;
  // How long a cancelled restore tries to drop what it has made: less than the
  // grace that a run has to end in.
  absl::Duration cancel_patience = absl::Milliseconds(600);
  FileSystem* file_system = FileSystem::Posix();
  // For tests: told before each step, by name. Empty: nobody is.
  std::function<void(absl::string_view step)> on_step;

  void Step(absl::string_view step) const {
    if (on_step) on_step(step);
  }
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_OPTIONS_H_
