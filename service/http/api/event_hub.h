#ifndef SLUICE_SERVICE_HTTP_API_EVENT_HUB_H_
#define SLUICE_SERVICE_HTTP_API_EVENT_HUB_H_

// Event streams: what happens in the catalog, told to whoever listens. One
// thread looks for news while there are streams; without any it sleeps.
//
// Events of the catalog are numbered in the order of their commits, so that a
// client which returns with Last-Event-ID misses nothing; where that is too
// long ago it is told "resync", and reads the lists again.
//
// Thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/http/api/access.h"
#include "sluice/service/http/message/response_stream.h"

namespace sluice::service {

// A client that missed more is told to begin anew.
inline constexpr int64_t kMostReplayed = 1000;

class EventHub {
 public:
  // Borrows all.
  EventHub(Catalog* catalog, Gatekeeper* gatekeeper, Clock* clock,
           absl::Duration poll, Context life);
  // Ends all streams.
  ~EventHub();
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // Those of `types` (empty: all) that the caller may see, from the one after
  // `last_seen`, else from now.
  absl::StatusOr<std::shared_ptr<http::ResponseStream>> Follow(
      const Caller& caller, absl::optional<int64_t> last_seen,
      std::set<std::string> types);
  // The job as it is and at each change, until it is over.
  absl::StatusOr<std::shared_ptr<http::ResponseStream>> FollowJob(
      const Caller& caller, const BackupJob& job);

 private:
  struct Listener {
    Caller caller;
    std::shared_ptr<http::ResponseStream> stream;
    int64_t position = 0;
    std::set<std::string> types;
    std::string job_id;    // of a job's stream
    std::string job_said;  // what was told of it last
  };
  using Listeners = std::vector<std::shared_ptr<Listener>>;

  absl::Status Add(std::shared_ptr<Listener> listener);
  void Run();
  void Look(const Listeners& listeners);
  void EndUnknown(const Listeners& listeners);
  void TellEvents(const Listeners& listeners);
  void TellJobs(const Listeners& listeners);

  Catalog* const catalog_;
  Gatekeeper* const gatekeeper_;
  Clock* const clock_;
  const absl::Duration poll_;
  const Context life_;
  absl::Duration checked_ = absl::ZeroDuration();  // the thread's own

  Mutex mutex_;
  CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool news_ ABSL_GUARDED_BY(mutex_) = false;
  Listeners listeners_ ABSL_GUARDED_BY(mutex_);
  Thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_EVENT_HUB_H_
