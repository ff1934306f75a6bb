#ifndef SLUICE_PLUGINS_CONFORMANCE_CONFORMANCE_H_
#define SLUICE_PLUGINS_CONFORMANCE_CONFORMANCE_H_

// The conformance kit: what every source and every place must do, tested by
// running the executor with it. `sluice plugin check` gives it to authors.
//
// Example:
//
//   ConformanceOptions options;
//   options.source = "memory:?load=/usr/include/linux";
//   options.target = "memory:?save=/tmp/t/{}";
//   options.restored = "memory:?load=/tmp/t/{}";
//   options.archives = "local:/tmp/a";
//   CheckSummary summary = RunConformance(
//       host, Clock::Real(), options,
//       [](const CheckResult& result) { std::cout << result.name << "\n"; });
//   if (summary.failed > 0) return absl::AbortedError("it does not conform");
//
// In a URI, {} stands for a number that is new for each target. All that is
// named is written into or compared, so name nothing that is in use, and remove
// it afterwards. Blocks, for seconds; one thread, which starts others. Host and
// clock are borrowed for the call. Errors are results of checks.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/plugins/conformance/check.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice {

struct ConformanceOptions {
  // A plugin to load and look at; empty: none.
  std::string plugin_file;

  // To check a source, all four.
  std::string source;    // a store with something in it
  std::string target;    // an empty store that is restored into, with {}
  std::string restored;  // reads what was restored; empty: as target
  std::string archives;  // a place for the archives, empty or a repo
  // Optional.
  std::string empty_source;    // a store with nothing in it
  std::string warning_source;  // a store that cannot be backed up in full

  // To check a place: one that is empty, with nothing else in it.
  std::string place;

  // Each check in a child process, which has not loaded the plugin before: one
  // that crashes, exits or takes longer than the limit has failed, and the next
  // one runs. The calling process then runs no code of the plugin, and must
  // have no threads that hold locks.
  bool in_children = false;
  absl::Duration check_time_limit = absl::Minutes(2);
  // Asked between checks; where it is not OK no more are run. May be null.
  std::function<absl::Status()> go_on;
};

// Runs the checks that the options allow, in order. No check at all is one that
// failed.
CheckSummary RunConformance(PluginHost& host, Clock* clock,
                            const ConformanceOptions& options,
                            const CheckReport& report);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_CONFORMANCE_CONFORMANCE_H_
