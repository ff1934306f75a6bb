#ifndef SLUICE_CATALOG_SQLITE_SQLITE_SETTINGS_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_SETTINGS_H_

// The SettingStore over a SqliteDatabase, which it borrows.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/catalog/setting_store.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"

namespace sluice {

class SqliteSettings final : public SettingStore {
 public:
  explicit SqliteSettings(SqliteDatabase* database) : database_(database) {}

  absl::StatusOr<absl::optional<std::string>> Get(
      const Context& context, absl::string_view name) override;
  absl::Status Set(const Context& context, absl::string_view name,
                   absl::string_view value) override;
  absl::StatusOr<std::string> GetOrSet(const Context& context,
                                       absl::string_view name,
                                       absl::string_view value) override;
  absl::Status Remove(const Context& context, absl::string_view name) override;
  absl::StatusOr<uint64_t> Revision(const Context& context) override;

 private:
  SqliteDatabase* const database_;
};

// In the transaction that changes a plan, a pin or a repo.
absl::Status RaiseSettingsRevision(SqliteConnection& connection);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_SETTINGS_H_
