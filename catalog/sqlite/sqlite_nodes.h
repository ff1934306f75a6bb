#ifndef SLUICE_CATALOG_SQLITE_SQLITE_NODES_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_NODES_H_

// The NodeStore over a SqliteDatabase, which it borrows.

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/catalog/node_store.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"

namespace sluice {

class SqliteNodes final : public NodeStore {
 public:
  explicit SqliteNodes(SqliteDatabase* database) : database_(database) {}

  absl::Status Heartbeat(const Context& context,
                         const CatalogNode& node) override;
  absl::StatusOr<std::vector<CatalogNode>> ListNodes(
      const Context& context) override;
  absl::Status RemoveNode(const Context& context,
                          absl::string_view id) override;

 private:
  SqliteDatabase* const database_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_NODES_H_
