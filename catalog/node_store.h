#ifndef SLUICE_CATALOG_NODE_STORE_H_
#define SLUICE_CATALOG_NODE_STORE_H_

// Which services work on the catalog now: each says so every few seconds, and
// takes its row away when it stops. Who leaves work to "a service" looks here
// whether there is one.
//
// Example:
//
//   CatalogNode node;
//   node.id = NewUlid(*clock);
//   node.name = "host/42";
//   node.seen_at = clock->Now();
//   SLUICE_RETURN_IF_ERROR(nodes.Heartbeat(context, node));
//
// Thread-safe; every call blocks as those of Catalog do. Errors: those of
// Catalog.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/executor/context.h"

namespace sluice {

struct CatalogNode {
  std::string id;         // of one run of a service
  std::string name;       // for people: "host/pid"
  bool draining = false;  // begins nothing more
  absl::Time seen_at = absl::UnixEpoch();
};

// How often a service says that it is there.
inline constexpr absl::Duration kNodeHeartbeat = absl::Seconds(10);

// One that has not said so for longer is taken to be gone.
inline constexpr absl::Duration kNodePatience = absl::Seconds(30);

class NodeStore {
 public:
  virtual ~NodeStore() = default;

  // The node is there, and was seen at its seen_at. Rows of nodes that were
  // last seen a day before that go.
  virtual absl::Status Heartbeat(const Context& context,
                                 const CatalogNode& node) = 0;
  // By name, those that died without a word too.
  virtual absl::StatusOr<std::vector<CatalogNode>> ListNodes(
      const Context& context) = 0;
  // One that is not there is success.
  virtual absl::Status RemoveNode(const Context& context,
                                  absl::string_view id) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_NODE_STORE_H_
