#ifndef SLUICE_SERVICE_HTTP_API_KNOWN_PLANS_H_
#define SLUICE_SERVICE_HTTP_API_KNOWN_PLANS_H_

// What a scrape wants of all plans, kept from one to the next: to read ten
// thousand and to parse their schedules takes longer than all the rest of it.
// Good for as long as the catalog's revision is the same, so no scrape tells
// what was true once.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/mutex.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/executor/context.h"
#include "sluice/service/plan/overdue.h"

namespace sluice::service {

struct KnownPlan {
  std::string name;
  std::vector<std::string> repos;
  // One of them. A plan whose rules cannot be used is looked at again each
  // time: its zone may be installed meanwhile.
  absl::optional<Expectation> expected;
  absl::optional<Plan> unusable;

  // One that cannot be used is overdue: it does not run either.
  bool IsOverdueAt(absl::Time now, absl::optional<absl::Time> succeeded) const;
};

class KnownPlans {
 public:
  using ById = std::map<std::string, KnownPlan>;

  // Thread-safe; blocks for the catalog. The same map for as long as no plan,
  // pin or repo changes.
  absl::StatusOr<std::shared_ptr<const ById>> Get(const Context& context,
                                                  Catalog& catalog);

 private:
  Mutex mutex_;
  std::shared_ptr<const ById> plans_ ABSL_GUARDED_BY(mutex_);
  uint64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_KNOWN_PLANS_H_
