#include "sluice/service/engine/presence.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/ulid.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kLastWordPatience = absl::Seconds(3);

}  // namespace

NodePresence::NodePresence(Catalog* catalog, Clock* clock,
                           const std::string& name,
                           std::function<void(const absl::Status&)> on_problem)
    : catalog_(catalog),
      clock_(clock),
      on_problem_(std::move(on_problem)),
      alive_(Context::WithCancel(Context::Background())) {
  node_.id = NewUlid(*clock);
  node_.name = name;
}

absl::StatusOr<std::unique_ptr<NodePresence>> NodePresence::Start(
    Catalog* catalog, Clock* clock, const std::string& name,
    std::function<void(const absl::Status&)> on_problem) {
  std::unique_ptr<NodePresence> presence(
      new NodePresence(catalog, clock, name, std::move(on_problem)));
  presence->Beat();
  SLUICE_ASSIGN_OR_RETURN(
      presence->thread_,
      Thread::Start("presence", [raw = presence.get()] { raw->Run(); }));
  return presence;
}

NodePresence::~NodePresence() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  alive_.second(absl::CancelledError("the service stops"));
  if (thread_.joinable()) thread_.Join();
  catalog_->nodes()
      .RemoveNode(Context::WithTimeout(Context::Background(), Clock::Real(),
                                       kLastWordPatience)
                      .first,
                  node_.id)
      .IgnoreError();
}

absl::StatusOr<bool> NodePresence::AnyIsThere(const Context& context,
                                              Catalog& catalog, Clock& clock) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogNode> nodes,
                          catalog.nodes().ListNodes(context));
  const absl::Time now = clock.Now();
  return std::any_of(nodes.begin(), nodes.end(), [&](const CatalogNode& node) {
    return !node.draining &&
           absl::AbsDuration(now - node.seen_at) < kNodePatience;
  });
}

void NodePresence::Beat() {
  node_.seen_at = clock_->Now();
  const absl::Status said = catalog_->nodes().Heartbeat(alive_.first, node_);
  if (said.ok() || alive_.first.done() || !on_problem_) return;
  on_problem_(said);
}

void NodePresence::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!stopping_) clock_->WaitFor(changed_, lock, kNodeHeartbeat);
      if (stopping_) return;
    }
    Beat();
  }
}

}  // namespace sluice::service
