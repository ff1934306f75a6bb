#ifndef SLUICE_EXECUTOR_BLOCK_HOLD_H_
#define SLUICE_EXECUTOR_BLOCK_HOLD_H_

// Which blocks a garbage collector elsewhere must keep, because backups refer
// to them: those that published archives name, and, while backups run, every
// block that was alive when the first of them began, as it may yet be named.
//
// Example:
//
//   BlockHold hold = BlockHold::Take(context, *clock, {repo_a, repo_b},
//                                    list_running_jobs, {});
//   for (const Block& block : dead_blocks) {
//     if (!hold.Holds(block.id, block.dead_since)) Delete(block);
//   }
//   if (hold.holds_everything()) std::cerr << hold.why();
//
// It fails closed. An unreachable repo, an unreadable manifest, a list that
// does not match its hash, jobs that can't be listed: any of them holds
// everything. A hold says what was true when it was taken, and blocks that died
// after that are held by it, whatever they are: take a new one for them.
//
// Immutable after Take; thread-safe. A hold is a value and borrows nothing;
// what Take is given is borrowed for the call. Take reads every archive's id
// list; memory is 8 bytes for each distinct id. Ids are compared by a 64-bit
// hash, so one block in 2^64 / ids is held for nothing; none is let go that
// way.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/base/clock.h"
#include "sluice/executor/context.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

class BlockHold {
 public:
  struct Options {
    // How far apart the clocks of the collector, of the machines that run
    // backups, and ours may be. Too small a value loses blocks.
    absl::Duration clock_skew = absl::Minutes(5);
  };

  // The backup jobs that are not terminal, of every catalog that backs up into
  // these repos. Pending ones hold nothing: they have no snapshot yet.
  using ListRunningJobs =
      std::function<absl::StatusOr<std::vector<BackupJob>>(const Context&)>;

  // Never fails: where it can't know, it holds everything.
  static BlockHold Take(const Context& context, const Clock& clock,
                        absl::Span<const std::shared_ptr<Destination>> repos,
                        const ListRunningJobs& list_running_jobs,
                        const Options& options);

  // Must this block be kept, which nothing but backups refers to since
  // `dead_since`?
  bool Holds(absl::string_view block_id, absl::Time dead_since) const;

  bool holds_everything() const { return !why_.ok(); }
  // Why everything is held; OK where it isn't.
  const absl::Status& why() const { return why_; }
  // Blocks that died at this time or later are all held.
  absl::Time holds_all_dead_since() const { return horizon_; }
  // Distinct ids of published archives.
  size_t published_ids() const { return hashes_.size(); }

 private:
  BlockHold() = default;
  absl::Status AddArchives(const Context& context, Destination& repo);

  absl::Status why_;
  absl::Time horizon_ = absl::InfinitePast();
  std::vector<uint64_t> hashes_;  // ascending, distinct
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_BLOCK_HOLD_H_
