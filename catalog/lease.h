#ifndef SLUICE_CATALOG_LEASE_H_
#define SLUICE_CATALOG_LEASE_H_

// A lease: who owns a job, and until when. A job without one, or with one that
// is over, belongs to nobody, and reconcile may end it.
//
// The rule of time, in the one place where it is decided: a holder and a judge
// that share a boot clock go by it alone, so setting the wall clock changes
// nothing. Else (the machine was started anew since) the wall clock decides.
//
// Example:
//
//   const LeaseJudge judge{CurrentProcess(), clock->Now(), clock->SinceBoot()};
//   if (!IsLive(lease, judge)) return TakeOver(lease.job_id);
//
// A function over values, any thread. Never fails: what it cannot know it takes
// for alive. Costs what IsProvablyDead does.

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "sluice/catalog/process_identity.h"

namespace sluice {

struct Lease {
  std::string job_id;
  // Grows with every lease that a catalog gives, never repeats. Who comes with
  // a smaller number than the row's has lost the lease.
  int64_t fence = 0;
  std::string owner;  // for people: "host:pid"
  ProcessIdentity process;
  absl::Duration length;
  absl::Time expires_at;           // by the wall clock
  absl::Duration expires_at_boot;  // by the holder's boot clock
};

// The judge's view of time and of itself.
struct LeaseJudge {
  ProcessIdentity self;
  absl::Time now;
  absl::Duration since_boot;
};

// False once the lease is over, or its holder provably dead.
bool IsLive(const Lease& lease, const LeaseJudge& judge);

}  // namespace sluice

#endif  // SLUICE_CATALOG_LEASE_H_
