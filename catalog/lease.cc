#include "sluice/catalog/lease.h"

namespace sluice {

bool IsLive(const Lease& lease, const LeaseJudge& judge) {
  if (IsProvablyDead(judge.self, lease.process)) return false;
  if (SharesBootClock(judge.self, lease.process))
    return judge.since_boot < lease.expires_at_boot;
  // No living holder's lease ends further ahead than its length: the clock was
  // set back since, and would keep a dead holder alive for as long.
  if (lease.expires_at > judge.now + 2 * lease.length) return false;
  return judge.now < lease.expires_at;
}

}  // namespace sluice
