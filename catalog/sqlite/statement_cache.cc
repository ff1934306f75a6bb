#include "sluice/catalog/sqlite/statement_cache.h"

#include <sqlite3.h>

namespace sluice {

void StatementCache::Clear() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  idle_.clear();
}

sqlite3_stmt* StatementCache::Take(absl::string_view sql) {
  const auto found = idle_.find(sql);
  if (found == idle_.end()) return nullptr;
  sqlite3_stmt* const statement = found->second;
  idle_.erase(found);
  return statement;
}

void StatementCache::Return(sqlite3_stmt* statement) {
  if (statement == nullptr) return;
  // The error of a step that failed comes again here; its caller has seen it.
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  const char* const sql = sqlite3_sql(statement);
  if (sql == nullptr || idle_.size() >= kMostIdle) {
    sqlite3_finalize(statement);
    return;
  }
  idle_.emplace(sql, statement);
}

}  // namespace sluice
