#ifndef SLUICE_SERVICE_ENGINE_KILL_LEDGER_H_
#define SLUICE_SERVICE_ENGINE_KILL_LEDGER_H_

// Whether a catalog whose services were killed adds up, once all of it is
// settled: each due time has one row, or is counted; a row's word, its jobs and
// the totals say the same; what did not run has its reason.
//
//   const Ledger ledger = Audit(*catalog, {plan}, absl::Seconds(1));
//   EXPECT_THAT(ledger.wrong, ElementsAre());

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"

namespace sluice::service {

struct Ledger {
  std::vector<std::string> wrong;
  int64_t due = 0;  // from the first time to the last that has a row
  int64_t succeeded = 0;
  int64_t failed = 0;
  int64_t skipped = 0;
  int64_t missed = 0;
  int64_t counted = 0;  // of a long outage: without a row
  int64_t retried = 0;  // rows that took more than one attempt
};

// Of plans with three attempts that are due each `period` after the second in
// which they were made.
Ledger Audit(Catalog& catalog, const std::vector<Plan>& plans,
             absl::Duration period);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_KILL_LEDGER_H_
