#ifndef SLUICE_CATALOG_SETTING_STORE_H_
#define SLUICE_CATALOG_SETTING_STORE_H_

// Small facts of the installation, one text a name: which machine it is on,
// what each repo was told of it. And the number that says whether plans, pins
// or repos have changed.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const std::string machine,
//       settings.GetOrSet(context, "machine_id", "b642b4217b34b1e8"));
//
// Thread-safe; every call blocks as those of Catalog do. Errors: those of
// Catalog.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/executor/context.h"

namespace sluice {

class SettingStore {
 public:
  virtual ~SettingStore() = default;

  // None where nobody has set it.
  virtual absl::StatusOr<absl::optional<std::string>> Get(
      const Context& context, absl::string_view name) = 0;
  virtual absl::Status Set(const Context& context, absl::string_view name,
                           absl::string_view value) = 0;
  // Sets it where nobody has, and says what it is then: of two at once, one
  // sets it and both get the same.
  virtual absl::StatusOr<std::string> GetOrSet(const Context& context,
                                               absl::string_view name,
                                               absl::string_view value) = 0;
  // One that is not there is success.
  virtual absl::Status Remove(const Context& context,
                              absl::string_view name) = 0;
  // Raised by each change of a plan, a pin or a repo, in its transaction.
  virtual absl::StatusOr<uint64_t> Revision(const Context& context) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SETTING_STORE_H_
