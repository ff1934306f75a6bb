#ifndef SLUICE_BENCHMARKS_RUN_FIXTURES_H_
#define SLUICE_BENCHMARKS_RUN_FIXTURES_H_

// Stores and places that cost nothing of their own, so that a run's figures are
// those of the executor, the archive and the place under test.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/destination.h"

namespace sluice::benchmarks {

// Makes up `bytes` bytes in writes of 256 KiB, each stamped, so that no two are
// alike. Restored into, it touches one byte in 64 and drops the rest.
class GeneratingStore final : public Backupable {
 public:
  explicit GeneratingStore(uint64_t bytes) : bytes_(bytes) {}

  std::string store_kind() const override { return "generated"; }
  absl::StatusOr<StoreInfo> Describe(const Context& context) override;
  absl::Status Backup(const Context& context, BackupBase* base,
                      PayloadSink& sink) override;
  absl::Status Restore(const Context& context, absl::string_view store_id,
                       absl::Span<RestorePayload> chain,
                       WarningSink& warnings) override;

 private:
  const uint64_t bytes_;
};

// A place that forgets the bytes of payload segments and keeps the rest, so
// that a backup can be published but takes no memory.
std::shared_ptr<ObjectStore> MakeDiscardingPlace();

// A folder below `parent` with a repo of the `local` destination in it; both
// are gone with this.
class LocalRepo {
 public:
  explicit LocalRepo(const std::string& parent);
  ~LocalRepo();
  LocalRepo(const LocalRepo&) = delete;
  LocalRepo& operator=(const LocalRepo&) = delete;

  // Room for what goes beside the repo.
  const std::string& path() const { return path_; }
  const std::shared_ptr<ObjectStore>& place() const { return place_; }
  const std::shared_ptr<ArchiveDestination>& archives() const {
    return archives_;
  }

 private:
  std::string path_;
  std::shared_ptr<ObjectStore> place_;
  std::shared_ptr<ArchiveDestination> archives_;
};

// Archives of `place`, made a repo.
std::shared_ptr<ArchiveDestination> MakeArchives(
    const std::shared_ptr<ObjectStore>& place);

// Writes the payload as one object and nothing else: no hash, no manifest. Only
// PutBackup works.
std::shared_ptr<Destination> MakeUnhashedDestination(
    std::shared_ptr<ObjectStore> place);

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_RUN_FIXTURES_H_
