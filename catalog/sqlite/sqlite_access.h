#ifndef SLUICE_CATALOG_SQLITE_SQLITE_ACCESS_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_ACCESS_H_

// The AccessStore over a SqliteDatabase, which it borrows.

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/access_store.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"

namespace sluice {

class SqliteAccess final : public AccessStore {
 public:
  explicit SqliteAccess(SqliteDatabase* database) : database_(database) {}

  absl::Status AddToken(const Context& context,
                        const AccessToken& token) override;
  absl::StatusOr<absl::optional<AccessToken>> FindToken(
      const Context& context, absl::string_view sha256) override;
  absl::StatusOr<std::vector<AccessToken>> ListTokens(
      const Context& context) override;
  absl::Status RevokeToken(const Context& context,
                           absl::string_view id_or_prefix,
                           absl::Time at) override;
  absl::Status TouchToken(const Context& context, absl::string_view id,
                          absl::Time used_at) override;
  absl::Status AddAudit(const Context& context,
                        const AuditEntry& entry) override;
  absl::StatusOr<std::vector<AuditEntry>> ListAudit(const Context& context,
                                                    int64_t before,
                                                    size_t limit) override;

 private:
  SqliteDatabase* const database_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_ACCESS_H_
