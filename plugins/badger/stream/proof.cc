#include "sluice/plugins/badger/stream/proof.h"

#include <atomic>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/sdk/workers.h"

namespace sluice {
namespace badger {
namespace {

// Ranges are of unlike cost: with several for each thread none waits long for
// the last.
constexpr int kRangesAJob = 4;

// Proofs of the parts of an image, at the same time. One that fails, or stops,
// makes the others return.
class Parts {
 public:
  Parts(int jobs, const sdk::Run& run) : jobs_(jobs), run_(run) {}

  void Stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool is_stopped() const { return stopped_.load(std::memory_order_relaxed); }
  const sdk::Run& run() const { return run_; }

  using Prove = absl::FunctionRef<absl::StatusOr<ProofTotals>(size_t i)>;
  absl::StatusOr<ProofTotals> ProveEach(size_t count, Prove prove) {
    std::vector<ProofTotals> proven(count);
    SLUICE_RETURN_IF_ERROR(sdk::ForEach(
        count, jobs_,
        [&](size_t i) -> absl::Status {
          SLUICE_ASSIGN_OR_RETURN(proven[i], prove(i));
          return absl::OkStatus();
        },
        sdk::Helpers::kGiveWay, [&] { Stop(); }));
    ProofTotals sum;
    for (const ProofTotals& totals : proven) {
      sum.versions += totals.versions;
      sum.bytes += totals.bytes;
    }
    return sum;
  }

 private:
  const int jobs_;
  const sdk::Run run_;
  std::atomic<bool> stopped_{false};
};

// Stops where an entry leads into a value log.
absl::StatusOr<ProofTotals> ProveTable(const Image& image, size_t i,
                                       Parts& parts) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<TableSource> table,
                          image.ReadTable(i));
  ProofTotals totals;
  SLUICE_RETURN_IF_ERROR(table->Seek(""));
  while (table->Valid() && !parts.is_stopped()) {
    SLUICE_RETURN_IF_ERROR(parts.run().status());
    const InternalKey key = table->key();
    const StoredValue value = table->value();
    if (value.is_pointer()) parts.Stop();
    ++totals.versions;
    totals.bytes += key.user_key.size() + value.bytes.size();
    SLUICE_RETURN_IF_ERROR(table->Next());
  }
  return totals;
}

absl::StatusOr<ProofTotals> ProveRange(const Image& image,
                                       const KeyRange& range,
                                       const WalkOptions& walk, Parts& parts) {
  const auto go_on = [&](const StreamEntry&) -> absl::Status {
    if (!parts.is_stopped()) return absl::OkStatus();
    return MakeError(absl::StatusCode::kCancelled, kCancelled,
                     "another range of keys cannot be read");
  };
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionReader> versions,
                          image.ReadVersions(range));
  SLUICE_ASSIGN_OR_RETURN(const WalkTotals totals,
                          WalkBackup(*versions, walk, parts.run(), go_on));
  return ProofTotals{totals.versions, totals.bytes};
}

}  // namespace

absl::StatusOr<ProofTotals> ProveImage(const Image& image,
                                       const WalkOptions& walk, int jobs,
                                       const sdk::Run& run) {
  if (!image.logs().has_pointers()) {
    Parts tables(jobs, run);
    SLUICE_ASSIGN_OR_RETURN(
        ProofTotals totals,
        tables.ProveEach(image.summary().tables.size(), [&](size_t i) {
          return ProveTable(image, i, tables);
        }));
    totals.versions += image.logs().added();
    totals.bytes += image.logs().added_bytes();
    if (!tables.is_stopped()) return totals;
  }
  WalkOptions walk_range = walk;
  walk_range.with_live_totals = false;
  const std::vector<KeyRange> ranges =
      image.SplitKeys(jobs > 1 ? jobs * kRangesAJob : 1);
  Parts parts(jobs, run);
  return parts.ProveEach(ranges.size(), [&](size_t i) {
    return ProveRange(image, ranges[i], walk_range, parts);
  });
}

}  // namespace badger
}  // namespace sluice
