#ifndef SLUICE_SERVICE_SCHEDULE_ZONE_H_
#define SLUICE_SERVICE_SCHEDULE_ZONE_H_

// Time zones by their IANA names, from the machine's tzdata.
//
// Example:
//
//   absl::StatusOr<absl::TimeZone> zone = FindTimeZone("Europe/Berlin");
//   if (!zone.ok()) return zone.status();
//   zone->name();  // "Europe/Berlin"
//
// Any thread. The first use of a zone reads its file (below $TZDIR, else
// /usr/share/zoneinfo), later ones a table in memory: a newer tzdata is seen by
// the next process. Values; nothing is owned.
//
// Errors are invalid_argument, with the name that was meant where one is near.
// A machine without tzdata knows UTC alone, and the error says so.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::service {

// The zone of that name, spelt as tzdata spells it; "UTC" needs no tzdata. What
// is no IANA name is refused, whatever file is there: a path, "localtime" (the
// machine's zone is nobody's), "posix/..." and "right/...", a fixed offset.
absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view name);

// The names that FindTimeZone knows, sorted: some 600. Reads folders: some
// milliseconds. Empty where there is no tzdata.
std::vector<std::string> TimeZoneNames();

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_ZONE_H_
