#ifndef SLUICE_SERVICE_HTTP_API_TESTING_STOPPING_PLUGIN_H_
#define SLUICE_SERVICE_HTTP_API_TESTING_STOPPING_PLUGIN_H_

// A store and a place that wait where a test wants a run to be.
//
//   stopping:?path=NAME        a store; what it is called means nothing
//   stopdisk:/FOLDER           a folder, as local: is one
//
// The store stops at "describe", "begin", "stream", "end", and as a target at
// "restore begin", "restore stream", "restore end", "restore made". The place
// stops at what it does with which file of an archive: "begin payload.bin",
// "write payload.bin", "commit payload.bin", "open payload.bin", "read
// payload.bin", "delete writer.json"; and once it holds a manifest that it was
// given itself, at the same behind "published, ".

#include <string>

#include "sluice/base/mutex.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::service {

// Where runs wait, and whether one has come there. Thread-safe.
class Stops {
 public:
  // Waits, if `at` is where to: until the run is cancelled, or, deaf, let go.
  void Pass(const std::string& at, const sdk::Run& run);
  void Set(const std::string& at, bool is_deaf = false);
  void AwaitArrival();

 private:
  Mutex mutex_;
  CondVar changed_;
  std::string at_ ABSL_GUARDED_BY(mutex_);
  bool is_deaf_ ABSL_GUARDED_BY(mutex_) = false;
  bool arrived_ ABSL_GUARDED_BY(mutex_) = false;
};

// Those of this process.
Stops& TheStops();

extern const sluice_plugin_entry kStoppingPlugin;

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_TESTING_STOPPING_PLUGIN_H_
