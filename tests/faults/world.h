#ifndef SLUICE_TESTS_FAULTS_WORLD_H_
#define SLUICE_TESTS_FAULTS_WORLD_H_

// A whole Sluice on one file system, small enough to fail ten thousand times:
// the real executor, archive stage, local destination, catalog and folder
// target, over a FileSystem that a test may break.
//
//   ROOT/repo      the repo, through the C tables as a plugin would be
//   ROOT/catalog/  the SQLite catalog, through a VFS over the same file system
//   ROOT/out       the target of restores
//
//   World world({.files = &files, .root = dir, .clock = &clock});
//   ASSERT_TRUE(world.Prepare(Verb::kSweep).ok());        // without faults
//   World::Told told = world.Run(Verb::kSweep);           // with them
//   World after({.root = dir, .clock = &clock, .later = absl::Hours(3)},
//               world.ids());
//   EXPECT_THAT(after.Violations(Verb::kSweep, told), IsEmpty());
//
// A verb opens what it needs and closes it again, as one process would. One
// thread.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/file_system.h"

namespace sluice {

enum class Verb {
  kBackup,
  kRestore,
  kRestoreMany,  // files synced all at once, as where there are many
  kDelete,
  kSweep,
  kReconcile
};
inline constexpr Verb kAllVerbs[] = {Verb::kBackup,      Verb::kRestore,
                                     Verb::kRestoreMany, Verb::kDelete,
                                     Verb::kSweep,       Verb::kReconcile};
absl::string_view VerbName(Verb verb);

struct WorldOptions {
  FileSystem* files = FileSystem::Posix();
  std::string root;  // absolute; exists
  Clock* clock = nullptr;
  // How far the place's own clock is ahead: recovery happens when the leases
  // there are over. `clock` is to be as far ahead.
  absl::Duration later;
  // The SQLite VFS over `files`; empty: SQLite's own.
  std::string vfs;
  // Of the payload's some 400 bytes: how many objects there are.
  uint64_t segment_bytes = 128;
};

class World {
 public:
  // Of the two backups that Prepare made.
  struct Ids {
    std::string earlier;  // must outlive everything
    std::string doomed;   // what kDelete deletes
  };
  // What the user was told.
  struct Told {
    absl::Status status;
    std::string backup_id;  // of kBackup
  };

  // `ids`: of a world that was prepared before, on the same files or a copy.
  explicit World(const WorldOptions& options, Ids ids = {});

  // Makes the repo, two backups, and what `verb` needs to have work to do.
  absl::Status Prepare(Verb verb);
  const Ids& ids() const { return ids_; }

  Told Run(Verb verb);

  // The invariants I1 to I6 after `verb` and whatever befell it: recovers
  // (reconcile, sweep) and looks. `told` is absent where the process died. One
  // line for each violation.
  std::vector<std::string> Violations(Verb verb,
                                      const absl::optional<Told>& told);

 private:
  const WorldOptions options_;
  Ids ids_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_FAULTS_WORLD_H_
