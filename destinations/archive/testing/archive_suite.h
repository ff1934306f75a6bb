#ifndef SLUICE_DESTINATIONS_ARCHIVE_TESTING_ARCHIVE_SUITE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_TESTING_ARCHIVE_SUITE_H_

// What archives must do over every place. One suite that each ObjectStore
// passes, the fake one first:
//
//   INSTANTIATE_TEST_SUITE_P(
//       Local, ArchiveSuite,
//       testing::Values(
//           ArchiveSuiteParam{"local", [] { return NewStore(); }}));
//
// `make` gives a fresh place, not yet a repo, that nobody else uses; it may
// skip Create. The suite needs no clock of its own and never sleeps.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

struct ArchiveSuiteParam {
  std::string name;
  std::function<std::shared_ptr<ObjectStore>()> make;
  // The flips and cuts of every byte visit each `stride`-th one. 1 where a
  // write costs nothing.
  size_t stride = 1;
  // Lets the place's clock go on by that much. Null: it goes by itself.
  std::function<void(ObjectStore& place, absl::Duration duration)> pass_time =
      nullptr;
};

class ArchiveSuite : public testing::TestWithParam<ArchiveSuiteParam> {
 protected:
  ArchiveSuite();

  // Replaces the object below TestId(n), past every rule of publishing.
  void Overwrite(const std::string& name, const std::string& bytes);
  std::string ReadWhole(const std::string& name);
  // All committed names.
  std::vector<std::string> Names();
  std::vector<std::string> NamesOf(const std::string& backup_id);
  size_t CountUncommitted();
  // What a restore would see of the archive.
  absl::StatusOr<std::string> Restore(const std::string& backup_id);
  // The repo for somebody who believes nothing that is there by now to be
  // young.
  std::shared_ptr<ArchiveDestination> AfterGrace();
  // Both ways to read it say archive_damaged.
  void ExpectDamaged(const std::string& backup_id);

  const Context context_ = Context::Background();
  FakeClock clock_;
  std::shared_ptr<ObjectStore> store_;
  ArchiveOptions options_;
  std::shared_ptr<ArchiveDestination> archives_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_TESTING_ARCHIVE_SUITE_H_
