#ifndef SLUICE_CATALOG_CATALOG_ERROR_H_
#define SLUICE_CATALOG_CATALOG_ERROR_H_

// Words of the catalog's errors beside those of base/error.h. Constants.

#include "absl/strings/string_view.h"

namespace sluice {

// EACCES, EPERM, EROFS at the catalog.
inline constexpr absl::string_view kCatalogPermissionDenied =
    "catalog_permission_denied";
inline constexpr absl::string_view kPlanNotFound = "plan_not_found";
// Somebody else changed it meanwhile: read it again.
inline constexpr absl::string_view kPlanChanged = "plan_changed";
inline constexpr absl::string_view kNotificationNotFound =
    "notification_not_found";
inline constexpr absl::string_view kTokenNotFound = "token_not_found";
// Of a job: nobody began it in time.
inline constexpr absl::string_view kNotClaimed = "not_claimed";
// Of a job or a due time: it waited for what only a wrong clock had shown.
inline constexpr absl::string_view kClockChanged = "clock_changed";
// Of a job or a due time: another run of the same was under way.
inline constexpr absl::string_view kOverlap = "overlap";
// Of a job: the service that ran it was stopped.
inline constexpr absl::string_view kShutdown = "shutdown";
// The catalog is a copy of one that another machine works on, or was moved.
inline constexpr absl::string_view kCatalogCloned = "catalog_cloned";
// Of a job or a due time: its plan is there no more.
inline constexpr absl::string_view kPlanRemoved = "plan_removed";

inline constexpr absl::string_view kRepoInUse =
    "repo_in_use";  // plans, jobs or records need the repo
inline constexpr absl::string_view kPurgeIncomplete =
    "purge_incomplete";  // a repo is kept with archives that are held

}  // namespace sluice

#endif  // SLUICE_CATALOG_CATALOG_ERROR_H_
