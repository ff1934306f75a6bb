#include "sluice/catalog/sqlite/sqlite_nodes.h"

#include <cstdint>

#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/schema.h"

namespace sluice {
namespace {

// What is left of a service that died is of use to nobody after that.
constexpr absl::Duration kForgetAfter = absl::Hours(24);

}  // namespace

absl::Status SqliteNodes::Heartbeat(const Context& context,
                                    const CatalogNode& node) {
  if (node.id.empty()) return InvalidArgument("a node has an id");
  const int64_t version = CatalogMigrations().back().to_version;
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement put,
            connection.Prepare(
                "REPLACE INTO nodes (id, name, labels, schema_min, schema_max, "
                "draining, seen_at_ms) VALUES (?, ?, '{}', ?, ?, ?, ?)"));
        SLUICE_RETURN_IF_ERROR(put.Bind(node.id)
                                   .Bind(node.name)
                                   .Bind(version)
                                   .Bind(version)
                                   .Bind(int64_t{node.draining})
                                   .Bind(absl::ToUnixMillis(node.seen_at))
                                   .Run());
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement old,
            connection.Prepare("DELETE FROM nodes WHERE seen_at_ms < ?"));
        return old.Bind(absl::ToUnixMillis(node.seen_at - kForgetAfter)).Run();
      });
}

absl::StatusOr<std::vector<CatalogNode>> SqliteNodes::ListNodes(
    const Context& context) {
  return database_->Get<std::vector<CatalogNode>>(
      context,
      [](SqliteConnection& connection)
          -> absl::StatusOr<std::vector<CatalogNode>> {
        std::vector<CatalogNode> nodes;
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare("SELECT id, name, draining, seen_at_ms FROM "
                               "nodes ORDER BY name, id"));
        while (true) {
          SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
          if (!row) return nodes;
          nodes.push_back({select.Text(0), select.Text(1),
                           select.Integer(2) != 0,
                           absl::FromUnixMillis(select.Integer(3))});
        }
      });
}

absl::Status SqliteNodes::RemoveNode(const Context& context,
                                     absl::string_view id) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement remove,
            connection.Prepare("DELETE FROM nodes WHERE id = ?"));
        return remove.Bind(id).Run();
      });
}

}  // namespace sluice
