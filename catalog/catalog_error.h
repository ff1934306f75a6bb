#ifndef SLUICE_CATALOG_CATALOG_ERROR_H_
#define SLUICE_CATALOG_CATALOG_ERROR_H_

// A word of the catalog's errors beside those of base/error.h. A constant.

#include "absl/strings/string_view.h"

namespace sluice {

// EACCES, EPERM, EROFS at the catalog.
inline constexpr absl::string_view kCatalogPermissionDenied =
    "catalog_permission_denied";

}  // namespace sluice

#endif  // SLUICE_CATALOG_CATALOG_ERROR_H_
