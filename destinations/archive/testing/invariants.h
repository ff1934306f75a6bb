#ifndef SLUICE_DESTINATIONS_ARCHIVE_TESTING_INVARIANTS_H_
#define SLUICE_DESTINATIONS_ARCHIVE_TESTING_INVARIANTS_H_

// What must hold of a repo after anything whatever happened to it: I1, I2, I5
// and I6 of ARCHITECTURE.md, checked over any ObjectStore. For tests.
//
//   ArchiveInvariants invariants(store, &clock, options);
//   invariants.Expect(id, payload);        // published before, or status OK
//   invariants.Forbid(id);                 // a run that failed
//   invariants.PassGrace([&] { store->Advance(2 * options.grace_window); });
//   EXPECT_EQ(invariants.Check(), absl::OkStatus());

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/object_store.h"

namespace sluice {

class ArchiveInvariants {
 public:
  ArchiveInvariants(std::shared_ptr<ObjectStore> store, Clock* clock,
                    const ArchiveOptions& options);

  // The archive is listed, verifies, and gives back `payload` (I2, I5).
  void Expect(absl::string_view backup_id, absl::string_view payload);
  // The archive is not listed.
  void Forbid(absl::string_view backup_id);
  // A name that is not ours and stays.
  void ExpectForeign(absl::string_view name);
  // Lets all leases expire, so that a sweep must leave nothing (I6). Without
  // it I6 is not checked.
  void PassGrace(std::function<void()> pass_grace);

  // The first violation, by its number. Changes the repo: it is swept.
  absl::Status Check();

 private:
  // Each archive that is listed is whole, each that is expected is listed.
  absl::Status CheckListed(absl::string_view when);
  absl::Status CheckPayload(absl::string_view backup_id,
                            absl::string_view payload);
  absl::Status CheckNothingLeft();

  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<ArchiveDestination> archives_;
  std::map<std::string, std::string> expected_;
  std::set<std::string> forbidden_;
  std::set<std::string> foreign_;
  std::function<void()> pass_grace_;
};

// Counts what a fault test visited, so that one that visits too little fails.
class FaultCoverage {
 public:
  explicit FaultCoverage(absl::string_view what) : what_(what) {}
  void Visit(absl::string_view call, absl::string_view fault, bool struck);
  // Prints one line; an error where a fault did not strike, or where fewer than
  // `least` runs were made.
  absl::Status Finish(size_t least) const;

 private:
  const std::string what_;
  size_t runs_ = 0;
  size_t struck_ = 0;
  std::map<std::string, size_t> faults_;
  std::set<std::string> calls_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_TESTING_INVARIANTS_H_
