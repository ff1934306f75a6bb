#ifndef SLUICE_SERVICE_ENGINE_PRESENCE_H_
#define SLUICE_SERVICE_ENGINE_PRESENCE_H_

// Says in the catalog that a service is there, every kNodeHeartbeat, for as
// long as the object lives.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const std::unique_ptr<NodePresence> presence,
//       NodePresence::Start(catalog, Clock::Real(), "host/42", on_problem));
//
// A thread of its own, so that nothing a service waits for makes it look gone.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"

namespace sluice::service {

class NodePresence {
 public:
  // Borrows catalog and clock. The row is there when this returns, or
  // `on_problem`, which may be empty, was told why not; it is tried again.
  // resource_exhausted where there is no thread.
  static absl::StatusOr<std::unique_ptr<NodePresence>> Start(
      Catalog* catalog, Clock* clock, const std::string& name,
      std::function<void(const absl::Status&)> on_problem);
  // Takes the row away, as far as that can be within seconds.
  ~NodePresence();
  NodePresence(const NodePresence&) = delete;
  NodePresence& operator=(const NodePresence&) = delete;

  // Whether any service works on the catalog now.
  static absl::StatusOr<bool> AnyIsThere(const Context& context,
                                         Catalog& catalog, Clock& clock);

 private:
  NodePresence(Catalog* catalog, Clock* clock, const std::string& name,
               std::function<void(const absl::Status&)> on_problem);

  void Beat();
  void Run();

  Catalog* const catalog_;
  Clock* const clock_;
  const std::function<void(const absl::Status&)> on_problem_;
  CatalogNode node_;  // of the thread, once it is there
  const std::pair<Context, Context::CancelFunction> alive_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_PRESENCE_H_
