#ifndef SLUICE_CATALOG_SQLITE_SCHEMA_H_
#define SLUICE_CATALOG_SQLITE_SCHEMA_H_

// The tables of the catalog, and how an older catalog becomes a newer one.
//
// The database says what it is: application_id "SLUC", user_version the schema
// version. A migration takes it from one version to the next in one
// transaction, so a crash leaves it at one or the other. Migrations are only
// ever added; a golden catalog of each version is kept in testdata/.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"

namespace sluice {

struct Migration {
  int to_version;
  const char* sql;
};

// All, ascending from 1 without a gap.
absl::Span<const Migration> CatalogMigrations();

// Makes `database` a catalog of the last version of `migrations`, from an empty
// file or from any earlier version. Any number of processes at once.
//
// `before_migration` is called with the version of an earlier catalog before
// anything of it is changed; its error is the answer, and the catalog stays.
//
// FAILED_PRECONDITION (catalog_newer) for one that a newer Sluice wrote,
// catalog_unavailable for another program's database; both stay byte for byte
// as they are.
absl::Status EnsureSchema(const Context& context, SqliteDatabase& database,
                          absl::Span<const Migration> migrations,
                          const std::function<absl::Status(int64_t version)>&
                              before_migration = nullptr);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SCHEMA_H_
