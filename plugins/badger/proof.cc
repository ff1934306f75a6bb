#include "sluice/plugins/badger/proof.h"

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/stream_entry.h"
#include "sluice/plugins/badger/version_reader.h"
#include "sluice/plugins/sdk/workers.h"

namespace sluice {
namespace badger {
namespace {

// Ranges are of unlike cost: with several for each thread none waits long for
// the last.
constexpr int kRangesAJob = 4;

}  // namespace

absl::StatusOr<ProofTotals> ProveImage(const Image& image,
                                       const WalkOptions& walk, int jobs,
                                       const sdk::Run& run) {
  WalkOptions walk_range = walk;
  walk_range.with_live_totals = false;
  const std::vector<KeyRange> ranges =
      image.SplitKeys(jobs > 1 ? jobs * kRangesAJob : 1);
  std::vector<ProofTotals> proven(ranges.size());
  std::atomic<bool> stopped{false};
  const auto go_on = [&](const StreamEntry&) -> absl::Status {
    if (!stopped.load(std::memory_order_relaxed)) return absl::OkStatus();
    return MakeError(absl::StatusCode::kCancelled, kCancelled,
                     "another range of keys cannot be read");
  };
  const auto prove = [&](size_t i) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionReader> versions,
                            image.ReadVersions(ranges[i]));
    SLUICE_ASSIGN_OR_RETURN(const WalkTotals totals,
                            WalkBackup(*versions, walk_range, run, go_on));
    proven[i] = {totals.versions, totals.bytes};
    return absl::OkStatus();
  };
  SLUICE_RETURN_IF_ERROR(sdk::ForEach(ranges.size(), jobs, prove,
                                      sdk::Helpers::kGiveWay,
                                      [&] { stopped = true; }));
  ProofTotals sum;
  for (const ProofTotals& totals : proven) {
    sum.versions += totals.versions;
    sum.bytes += totals.bytes;
  }
  return sum;
}

}  // namespace badger
}  // namespace sluice
