#ifndef SLUICE_SERVICE_HTTP_API_METRICS_H_
#define SLUICE_SERVICE_HTTP_API_METRICS_H_

// Metrics in Prometheus's text format (version 0.0.4), computed from the
// catalog at each scrape: a restart cannot make them lie, and the series of a
// plan go with it. docs/api.md lists them.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/http/api/known_plans.h"

namespace sluice::service {

// Any thread. Blocks for the catalog; cost linear in plans and records.
// `plan_id`: only what concerns that plan; empty: all. `plans`: of this catalog.
absl::StatusOr<std::string> MetricsText(const Context& context,
                                        Catalog& catalog, KnownPlans& plans,
                                        const Clock& clock,
                                        absl::string_view version,
                                        absl::string_view plan_id);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_METRICS_H_
