#ifndef SLUICE_CATALOG_SQLITE_STATEMENT_CACHE_H_
#define SLUICE_CATALOG_SQLITE_STATEMENT_CACHE_H_

// Prepared statements of one connection, kept for their next use: to compile
// one takes longer than most take to run. SQLite compiles one anew by itself
// where the schema has changed.
//
// Who has the connection's turn uses it; one thread at a time.

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

struct sqlite3_stmt;

namespace sluice {

class StatementCache {
 public:
  // Of more than so many idle statements, what comes back is given up.
  static constexpr size_t kMostIdle = 128;

  StatementCache() = default;
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;
  ~StatementCache() { Clear(); }

  // Gives all idle ones up; before the connection is closed.
  void Clear();

  // An idle one for `sql`, which is now the caller's; null: there is none.
  sqlite3_stmt* Take(absl::string_view sql);
  // Takes one back, whatever state it is in. Null is nothing.
  void Return(sqlite3_stmt* statement);

 private:
  std::multimap<std::string, sqlite3_stmt*, std::less<>> idle_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_STATEMENT_CACHE_H_
