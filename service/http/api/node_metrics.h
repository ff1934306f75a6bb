#ifndef SLUICE_SERVICE_HTTP_API_NODE_METRICS_H_
#define SLUICE_SERVICE_HTTP_API_NODE_METRICS_H_

// What this process costs and does, in Prometheus's text format: what the
// catalog cannot know. Where several serve one catalog each has its own.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::service {

struct NodeFacts {
  absl::string_view version;
  absl::Time started;
  int running_jobs = 0;
  bool is_working = true;  // schedules and workers reach the catalog
  bool is_draining = false;
};

// Any thread. Reads /proc/self; what cannot be read there is left out.
std::string NodeMetricsText(const NodeFacts& facts);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_NODE_METRICS_H_
